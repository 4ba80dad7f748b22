import { openStore } from "../../../shared/object_store/open_store.ts";
import { findGarbage } from "../../registry/collect_garbage.ts";
import { readArguments } from "../arguments.ts";
import { runCommand } from "../command.ts";
import { requireStore, STORE_HELP } from "./store_option.ts";

const KEEP_MOVES = 10;
const OLDER_THAN_HOURS = 24;

const HELP = `Removes versions and weights that no alias and no recent move of one needs

Usage: topfive models gc --store STORE [--dry-run]

  --dry-run          say what would be removed, remove nothing
  --keep-moves N     moves of each alias whose versions stay (${KEEP_MOVES})
  --older-than HOURS spare what is younger: a publish may be under way (${OLDER_THAN_HOURS})
  ${STORE_HELP}
  --json             one JSON line an object

Example
  topfive models gc --store store --dry-run`;

interface Given {
  readonly store: string;
  readonly dryRun: boolean;
  readonly keepMoves: number;
  readonly olderThanHours: number;
  readonly json: boolean;
}

export function modelsGcCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "models gc", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const { options, positionals } = readArguments("collect garbage", args, {
    store: "value",
    "dry-run": "switch",
    "keep-moves": "value",
    "older-than": "value",
    json: "switch",
  });
  if (positionals.length > 0) {
    throw new SyntaxError(`Cannot collect garbage: ${positionals[0]} belongs to no option`);
  }
  return {
    store: requireStore("collect garbage", options.store),
    dryRun: options["dry-run"] ?? false,
    keepMoves: count("--keep-moves", options["keep-moves"], KEEP_MOVES),
    olderThanHours: count("--older-than", options["older-than"], OLDER_THAN_HOURS),
    json: options.json ?? false,
  };
}

function count(option: string, given: string | undefined, byDefault: number): number {
  if (given === undefined) return byDefault;
  if (/^\d+$/.test(given)) return Number(given);
  throw new SyntaxError(`Cannot collect garbage: ${option} is ${given} (expected a whole number)`);
}

async function run({ store: address, dryRun, keepMoves, olderThanHours, json }: Given) {
  const store = openStore(address);
  const olderThanMs = olderThanHours * 3_600_000;
  const garbage = await findGarbage(store, { keepMoves, olderThanMs, now: Date.now() });
  let bytes = 0;
  for (const { key, byteLength } of garbage) {
    if (!dryRun) await store.delete(key);
    bytes += byteLength;
    console.log(json ? JSON.stringify({ key, byteLength, removed: !dryRun }) : `  ${key}`);
  }
  if (!json) {
    const what = `${garbage.length} objects, ${(bytes / 1e6).toFixed(1)} MB`;
    console.log(dryRun ? `would remove ${what}` : `removed ${what}`);
  }
  return 0;
}
