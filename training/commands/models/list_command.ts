import { openStore } from "../../../shared/object_store/open_store.ts";
import { readPointer } from "../../../shared/registry/pointer.ts";
import { listAliases } from "../../registry/history.ts";
import { listModels, listVersions } from "../../registry/versions.ts";
import { readArguments } from "../arguments.ts";
import { runCommand } from "../command.ts";
import { requireStore, STORE_HELP } from "./store_option.ts";

const HELP = `Lists models, their versions and the aliases that name them

Usage: topfive models list [NAME] --store STORE

  NAME           one model; all of them when left out
  ${STORE_HELP}
  --json         one JSON line a version

Example
  topfive models list --store store`;

interface Given {
  readonly name: string | undefined;
  readonly store: string;
  readonly json: boolean;
}

export function modelsListCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "models list", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const { options, positionals: [name, ...others] } = readArguments("list models", args, {
    store: "value",
    json: "switch",
  });
  if (others.length > 0) throw new SyntaxError("Cannot list models: expected one NAME at most");
  return { name, store: requireStore("list models", options.store), json: options.json ?? false };
}

async function run({ name, store: address, json }: Given): Promise<number> {
  const store = openStore(address);
  const names = name === undefined ? await listModels(store) : [name];
  let found = 0;
  for (const model of names) {
    const aliases = await aliasesByVersion(store, model);
    const versions = await listVersions(store, model);
    found += versions.length;
    if (!json && versions.length > 0) console.log(model);
    for (const { manifest: { version, createdAt, weights, metrics } } of versions) {
      const called = aliases.get(version) ?? [];
      console.log(
        json
          ? JSON.stringify({ name: model, version, createdAt, aliases: called, metrics, weights })
          : `  ${version.padEnd(28)} ${createdAt.slice(0, 16).replace("T", " ")}  ` +
            `top-1 error ${
              metrics ? (100 * metrics.top1Error).toFixed(2).padStart(5) : "    ?"
            } %  ` +
            `${(weights.byteLength / 1e6).toFixed(1).padStart(6)} MB  ${called.join(", ")}`
              .trimEnd(),
      );
    }
  }
  if (found > 0) return 0;
  throw new RangeError(
    `Cannot list models: ${
      name === undefined ? "nothing" : `no ${name}`
    } is published in ${address} ` +
      `(topfive publish puts a model there)`,
  );
}

async function aliasesByVersion(
  store: ReturnType<typeof openStore>,
  name: string,
): Promise<Map<string, string[]>> {
  const byVersion = new Map<string, string[]>();
  for (const alias of await listAliases(store, name)) {
    const pointer = await readPointer(store, name, alias);
    if (!pointer) continue;
    byVersion.set(pointer.version, [...byVersion.get(pointer.version) ?? [], alias]);
  }
  return byVersion;
}
