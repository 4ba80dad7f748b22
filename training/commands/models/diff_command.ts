import { openStore } from "../../../shared/object_store/open_store.ts";
import { requireVersion } from "../../registry/versions.ts";
import { readArguments } from "../arguments.ts";
import { runCommand } from "../command.ts";
import { requireStore, requireWords, STORE_HELP } from "./store_option.ts";

const HELP = `Shows what differs between two versions of a model

Usage: topfive models diff NAME VERSION VERSION --store STORE

  ${STORE_HELP}
  --json         one JSON object a difference

The exit code is 0 also where they differ.

Example
  topfive models diff shapes v1 v2 --store store`;

interface Given {
  readonly name: string;
  readonly versions: readonly [string, string];
  readonly store: string;
  readonly json: boolean;
}

export function modelsDiffCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "models diff", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const { options, positionals } = readArguments("compare versions", args, {
    store: "value",
    json: "switch",
  });
  const words = ["NAME", "VERSION", "VERSION"] as const;
  const [name, first, second] = requireWords("compare versions", words, positionals);
  const store = requireStore("compare versions", options.store);
  return { name, versions: [first, second], store, json: options.json ?? false };
}

async function run({ name, versions: [first, second], store: address, json }: Given) {
  const store = openStore(address);
  const differences = [...differ(
    await requireVersion(store, name, first),
    await requireVersion(store, name, second),
  )];
  for (const { field, before, after } of differences) {
    console.log(
      json
        ? JSON.stringify({ field, before, after })
        : `${field}\n  - ${JSON.stringify(before) ?? "nothing"}\n  + ${
          JSON.stringify(after) ?? "nothing"
        }`,
    );
  }
  if (differences.length === 0 && !json) console.log(`${first} and ${second} are the same`);
  return 0;
}

export interface Difference {
  /** Path of the field, "metrics.top1Error". */
  readonly field: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** The innermost fields in which two JSON values differ; lists are compared as a whole. */
export function* differ(before: unknown, after: unknown, field = ""): Generator<Difference> {
  if (isRecord(before) && isRecord(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      yield* differ(before[name], after[name], field === "" ? name : `${field}.${name}`);
    }
  } else if (JSON.stringify(before) !== JSON.stringify(after)) {
    yield { field, before, after };
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
