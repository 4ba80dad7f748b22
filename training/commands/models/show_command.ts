import { openStore } from "../../../shared/object_store/open_store.ts";
import { readLivePointer } from "../../../shared/registry/pointer.ts";
import { readSignatures } from "../../../shared/registry/signature.ts";
import { requireVersion } from "../../registry/versions.ts";
import { readArguments } from "../arguments.ts";
import { runCommand } from "../command.ts";
import { describeVersion } from "./describe_version.ts";
import { requireStore, STORE_HELP } from "./store_option.ts";

const HELP = `Shows one version: its card, how well it does, and how it was made

Usage: topfive models show NAME [VERSION] --store STORE

  VERSION        the live one when left out
  ${STORE_HELP}
  --json         the manifest as it is stored

Example
  topfive models show shapes --store store`;

interface Given {
  readonly name: string;
  readonly version: string | undefined;
  readonly store: string;
  readonly json: boolean;
}

export function modelsShowCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "models show", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const { options, positionals: [name, version, ...others] } = readArguments("show model", args, {
    store: "value",
    json: "switch",
  });
  if (name === undefined || others.length > 0) {
    throw new SyntaxError("Cannot show model: expected NAME [VERSION]");
  }
  const store = requireStore("show model", options.store);
  return { name, version, store, json: options.json ?? false };
}

async function run({ name, version, store: address, json }: Given): Promise<number> {
  const store = openStore(address);
  const shown = version ?? (await readLivePointer(store, name))?.version ?? "";
  const manifest = await requireVersion(store, name, shown);
  if (json) {
    console.log(JSON.stringify(manifest, null, 2));
    return 0;
  }
  const signatures = await readSignatures(store, name, shown);
  console.log(describeVersion(manifest, signatures.map(({ keyId }) => keyId)));
  return 0;
}
