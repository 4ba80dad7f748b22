import { openStore } from "../../../shared/object_store/open_store.ts";
import { readVerifyingKey } from "../../../shared/registry/signature.ts";
import { verifyModel } from "../../registry/verify.ts";
import { listModels } from "../../registry/versions.ts";
import { readArguments } from "../arguments.ts";
import { runCommand } from "../command.ts";
import { requireStore, STORE_HELP } from "./store_option.ts";

const HELP = `Reads every weight, manifest, alias and history again and compares hashes

Usage: topfive models verify [NAME] --store STORE [--trust KEY]

  NAME           one model; all of them when left out
  --trust KEY    a public key (topfive models key prints it): signatures are checked too
  ${STORE_HELP}
  --json         one JSON line a check

The exit code is 1 where anything is not as it should be.

Example
  topfive models verify --store store`;

interface Given {
  readonly name: string | undefined;
  readonly store: string;
  readonly trust: string | undefined;
  readonly json: boolean;
}

export function modelsVerifyCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "models verify", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const { options, positionals: [name, ...others] } = readArguments("verify models", args, {
    store: "value",
    trust: "value",
    json: "switch",
  });
  if (others.length > 0) throw new SyntaxError("Cannot verify models: expected one NAME at most");
  const { store, trust, json = false } = options;
  return { name, store: requireStore("verify models", store), trust, json };
}

async function run({ name, store: address, trust, json }: Given): Promise<number> {
  const store = openStore(address);
  const keys = trust === undefined ? [] : [await readVerifyingKey(trust)];
  let [checked, wrong] = [0, 0];
  for (const model of name === undefined ? await listModels(store) : [name]) {
    for await (const finding of verifyModel(store, model, keys)) {
      checked++;
      if (finding.problem !== undefined) wrong++;
      console.log(
        json
          ? JSON.stringify(finding)
          : `${finding.problem === undefined ? "✓" : "✗"} ${finding.what}` +
            (finding.problem === undefined ? "" : `\n    ${finding.problem}`),
      );
    }
  }
  if (checked === 0) {
    throw new RangeError(`Cannot verify models: nothing is published in ${address}`);
  }
  if (!json) {
    console.log(wrong === 0 ? `${checked} checks, all good` : `${wrong} of ${checked} wrong`);
  }
  return wrong === 0 ? 0 : 1;
}
