import { openStore } from "../../../shared/object_store/open_store.ts";
import { readHistory } from "../../registry/history.ts";
import { readArguments } from "../arguments.ts";
import { runCommand } from "../command.ts";
import { requireStore, STORE_HELP } from "./store_option.ts";

const HELP = `Shows every move of an alias, the last one first

Usage: topfive models history NAME [ALIAS] --store STORE

  ALIAS          champion when left out
  ${STORE_HELP}
  --json         one JSON line a move

Example
  topfive models history shapes --store store`;

interface Given {
  readonly name: string;
  readonly alias: string;
  readonly store: string;
  readonly json: boolean;
}

export function modelsHistoryCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "models history", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const { options, positionals: [name, alias = "champion", ...others] } = readArguments(
    "show history",
    args,
    { store: "value", json: "switch" },
  );
  if (name === undefined || others.length > 0) {
    throw new SyntaxError("Cannot show history: expected NAME [ALIAS]");
  }
  const store = requireStore("show history", options.store);
  return { name, alias, store, json: options.json ?? false };
}

async function run({ name, alias, store, json }: Given): Promise<number> {
  const moves = await readHistory(openStore(store), name, alias);
  if (moves.length === 0) {
    throw new RangeError(`Cannot show history: ${alias} of ${name} was never moved in ${store}`);
  }
  for (const move of moves) {
    const { movedAt, from, version, by, reason } = move;
    console.log(
      json
        ? JSON.stringify(move)
        : `${movedAt.slice(0, 19).replace("T", " ")}  ${from ?? "nothing"} → ${version}  ${by}` +
          (reason === "" ? "" : `: ${reason}`),
    );
  }
  return 0;
}
