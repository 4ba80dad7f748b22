/** `topfive models promote | rollback | alias`: each moves a pointer and says from where to where. */
import type { ObjectStore } from "../../../shared/object_store/object_store.ts";
import { openStore } from "../../../shared/object_store/open_store.ts";
import { moveAlias } from "../../../shared/registry/move_alias.ts";
import type { Pointer } from "../../../shared/registry/pointer.ts";
import { type Decision, promote, rollback } from "../../registry/champion.ts";
import { currentUser } from "../../registry/who.ts";
import { readArguments } from "../arguments.ts";
import { runCommand } from "../command.ts";
import { requireStore, requireWords, STORE_HELP } from "./store_option.ts";

const DECISION_HELP = `--reason TEXT  why, for the history
  --by NAME      who, for the history (default: user@machine)
  ${STORE_HELP}
  --json         the new pointer as JSON`;

type Words<Names extends readonly string[]> = { readonly [Index in keyof Names]: string };

interface MoveCommand<Names extends readonly string[]> {
  /** As it is typed, and as messages call it: "promote model". */
  readonly name: string;
  readonly action: string;
  readonly help: string;
  readonly words: Names;
  /** Whether there is an option --to. */
  readonly takesTo?: boolean;
  alias(words: Words<Names>): string;
  move(
    store: ObjectStore,
    words: Words<Names>,
    decision: Decision,
    to: string | undefined,
  ): Promise<Pointer>;
}

function moveCommand<const Names extends readonly string[]>(command: MoveCommand<Names>) {
  const { name, action, takesTo } = command;
  const read = (args: readonly string[]) => {
    const { options, positionals } = readArguments(action, args, {
      store: "value",
      reason: "value",
      by: "value",
      to: "value",
      json: "switch",
    });
    const { store, by = currentUser(), reason = "", to, json = false } = options;
    if (to !== undefined && !takesTo) {
      throw new SyntaxError(`Cannot ${action}: unknown option --to`);
    }
    return {
      words: requireWords(action, command.words, positionals),
      store: requireStore(action, store),
      decision: { by, reason },
      to,
      json,
    };
  };
  const run = async ({ words, store, decision, to, json }: ReturnType<typeof read>) => {
    const pointer = await command.move(openStore(store), words, decision, to);
    const { from, version } = pointer;
    const text = `${command.alias(words)} of ${words[0]}: ${from ?? "nothing"} → ${version}`;
    console.log(json ? JSON.stringify(pointer) : text);
    return 0;
  };
  return (args: readonly string[]) =>
    runCommand({ name, help: () => command.help, read, run }, args);
}

export const modelsPromoteCommand = moveCommand({
  name: "models promote",
  action: "promote model",
  alias: () => "champion",
  words: ["NAME", "VERSION"],
  help: `Makes a version the one that services answer with

Usage: topfive models promote NAME VERSION --store STORE [--reason TEXT]

  ${DECISION_HELP}

Running services follow within their polling time. The champion before becomes "previous".

Example
  topfive models promote shapes 20261124-031500-5116f965 --store store --reason "2 points better"`,
  move: (store, [name, version], decision) => promote(store, name, version, decision),
});

export const modelsRollbackCommand = moveCommand({
  name: "models rollback",
  action: "roll back model",
  alias: () => "champion",
  words: ["NAME"],
  takesTo: true,
  help: `Makes the champion before this one the champion again

Usage: topfive models rollback NAME --store STORE [--to VERSION] [--reason TEXT]

  --to VERSION   another version than the one before
  ${DECISION_HELP}

Running services follow within their polling time.

Example
  topfive models rollback shapes --store store --reason "confuses gears and balls"`,
  move: (store, [name], decision, to) => rollback(store, name, decision, to),
});

export const modelsAliasCommand = moveCommand({
  name: "models alias",
  action: "move alias",
  alias: (words) => words[1],
  words: ["NAME", "ALIAS", "VERSION"],
  help: `Points an alias at a version

Usage: topfive models alias NAME ALIAS VERSION --store STORE [--reason TEXT]

  ALIAS          candidate, or a name of your own such as "staging"
  ${DECISION_HELP}

Example
  topfive models alias shapes staging 20261124-031500-5116f965 --store store`,
  move: (store, [name, alias, version], decision) => {
    if (alias === "champion") {
      throw new RangeError('Cannot move alias: use "topfive models promote" for the champion');
    }
    return moveAlias(store, name, alias, { version, ...decision });
  },
});
