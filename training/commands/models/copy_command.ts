import { openStore } from "../../../shared/object_store/open_store.ts";
import { copyStore } from "../../registry/copy_store.ts";
import { readArguments } from "../arguments.ts";
import { runCommand } from "../command.ts";
import { requireStore, STORE_HELP } from "./store_option.ts";

const HELP = `Copies a whole store into another: a backup, a restore, a move to another provider

Usage: topfive models copy --store FROM --to STORE

  ${STORE_HELP}
  --to STORE     where to; what is there already is not copied again, and nothing is deleted
  --json         one JSON line an object

Weights go first and aliases last, so a service on the target never sees half of it, and a copy that
was killed goes on where it was. Two buckets with keys of their own are two profiles:
s3://bucket?profile=NAME.

Examples
  topfive models copy --store s3://models --to /backup/models
  topfive models copy --store /backup/models --to 's3://models-new?profile=restore'
  topfive models verify --store 's3://models-new?profile=restore'`;

interface Given {
  readonly store: string;
  readonly to: string;
  readonly json: boolean;
}

export function modelsCopyCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "models copy", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const { options, positionals } = readArguments("copy models", args, {
    store: "value",
    to: "value",
    json: "switch",
  });
  if (positionals.length > 0) throw new SyntaxError("Cannot copy models: expected options alone");
  const { store, to, json = false } = options;
  if (to === undefined) {
    throw new SyntaxError("Cannot copy models: --to is missing (a folder or s3://bucket/prefix)");
  }
  return { store: requireStore("copy models", store), to, json };
}

async function run({ store, to, json }: Given): Promise<number> {
  const counts = { copied: 0, there: 0 };
  let bytes = 0;
  for await (const object of copyStore(openStore(store), openStore(to))) {
    counts[object.outcome]++;
    if (object.outcome === "copied") bytes += object.byteLength;
    if (json) console.log(JSON.stringify(object));
    else if (object.outcome === "copied") console.log(object.key);
  }
  if (counts.copied + counts.there === 0) {
    throw new RangeError(`Cannot copy models: there is nothing in ${store}`);
  }
  if (!json) {
    console.log(
      `${counts.copied} objects copied, ${(bytes / 1e6).toFixed(1)} MB; ${counts.there} were there`,
    );
  }
  return 0;
}
