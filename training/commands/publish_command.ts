import { parseSafeName } from "../../shared/manifest.ts";
import { publishModel } from "../../shared/model_registry.ts";
import { openStore } from "../../shared/object_store/open_store.ts";
import type { CheckpointName } from "../checkpoint/checkpoint_folder.ts";
import { type LoadedRun, loadRun } from "../load_run.ts";
import { describeModel, encodeRun } from "../run_export.ts";
import { readEvaluation, type RunEvaluation } from "../run_folder.ts";
import { readArguments } from "./arguments.ts";
import { currentUser } from "../registry/who.ts";
import { runCommand } from "./command.ts";

const HELP = `Exports a run as ONNX and publishes it, with its manifest, to an object store

Usage: topfive publish RUN --store STORE --name NAME [--version V]

  RUN           a run folder that topfive train made and topfive evaluate measured
  --store STORE the object store: a folder, or s3://bucket/prefix with the usual AWS variables
  --name NAME   the model's name in the store
  --checkpoint NAME   best: the least validation error (default); latest, previous, or a file
  --version V   default: the time and the first digits of the data's fingerprint

The weights and the manifest are written first; the alias "latest" moves last.

Example
  topfive publish runs/first --store store --name shapes`;

interface Given {
  readonly folder: string;
  readonly store: string;
  readonly name: string;
  readonly version: string | undefined;
  readonly checkpoint: CheckpointName;
  readonly json: boolean;
}

export function publishCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "publish", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const { options, positionals: [folder, ...others] } = readArguments("publish", args, {
    store: "value",
    name: "value",
    version: "value",
    checkpoint: "value",
    json: "switch",
  });
  const { store, name, version, checkpoint = "best", json = false } = options;
  if (folder === undefined || others.length > 0 || store === undefined || name === undefined) {
    throw new SyntaxError("Cannot publish: expected one run folder, --store STORE and --name NAME");
  }
  parseSafeName("model name", name);
  if (version !== undefined) parseSafeName("model version", version);
  return { folder, store, name, version, checkpoint, json };
}

async function run({ folder, store, name, version, checkpoint, json }: Given): Promise<number> {
  const loaded = await loadRun(folder, checkpoint);
  const evaluation = await requireEvaluation(folder, loaded);
  const { dataFingerprint: _data, step: _step, ...metrics } = evaluation;
  const manifest = await publishModel(
    openStore(store),
    {
      weights: await joined(encodeRun(loaded)),
      manifest: describeModel(loaded, metrics, { name, version }),
    },
    { by: currentUser(), reason: `published from ${folder}` },
  );
  const megabytes = (manifest.weights.byteLength / 1e6).toFixed(1);
  console.log(
    json
      ? JSON.stringify(manifest, null, 2)
      : `published ${name} ${manifest.version}: ${megabytes} MB, ` +
        `top-1 error ${(100 * evaluation.top1Error).toFixed(2)} % on ${evaluation.images} images`,
  );
  return 0;
}

async function joined(chunks: readonly Uint8Array[]): Promise<Uint8Array> {
  return await new Blob(chunks as Uint8Array<ArrayBuffer>[]).bytes();
}

async function requireEvaluation(
  folder: string,
  { checkpoint: { state: { step } } }: LoadedRun,
): Promise<RunEvaluation> {
  const evaluation = await readEvaluation(folder);
  if (evaluation?.step === step) return evaluation;
  const problem = evaluation === null
    ? "it was not measured"
    : `it was measured at step ${evaluation.step} and trained on to step ${step}`;
  throw new Error(
    `Cannot publish ${folder}: ${problem} (run: ./topfive evaluate ${folder} --data DIR)`,
  );
}
