import { openStore } from "../../../shared/object_store/open_store.ts";
import { readSigningKey, signVersion } from "../../registry/sign.ts";
import { readArguments } from "../arguments.ts";
import { runCommand } from "../command.ts";
import { requireStore, requireWords, STORE_HELP } from "./store_option.ts";

/** Holds the private key itself, for machines where no file should. */
const KEY_VARIABLE = "TOPFIVE_SIGNING_KEY";

const HELP = `Signs a version's manifest, and through its hash the weights

Usage: topfive models sign NAME VERSION --store STORE [--key FILE]

  --key FILE     the private key (topfive models key makes one); else ${KEY_VARIABLE} holds it
  ${STORE_HELP}

Services that were told to trust the key's public half answer with signed versions only.

Example
  topfive models sign shapes v1 --key signing.pem --store store`;

interface Given {
  readonly name: string;
  readonly version: string;
  readonly store: string;
  readonly key: string | undefined;
}

export function modelsSignCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "models sign", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const { options: { store, key }, positionals } = readArguments("sign model", args, {
    store: "value",
    key: "value",
  });
  const [name, version] = requireWords("sign model", ["NAME", "VERSION"], positionals);
  return { name, version, store: requireStore("sign model", store), key };
}

async function run({ name, version, store, key }: Given): Promise<number> {
  const pem = key === undefined ? Deno.env.get(KEY_VARIABLE) : await Deno.readTextFile(key);
  if (!pem) {
    throw new Error(`Cannot sign model: there is no key (give --key FILE or set ${KEY_VARIABLE})`);
  }
  const signingKey = await readSigningKey(pem);
  await signVersion(openStore(store), name, version, signingKey);
  console.log(`${name} ${version} is signed by key ${signingKey.keyId}`);
  return 0;
}
