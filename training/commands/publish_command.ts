import { parseSafeName } from "../../shared/manifest.ts";
import { publishModel, type UnpublishedManifest } from "../../shared/model_registry.ts";
import { openStore } from "../../shared/object_store/open_store.ts";
import type { CheckpointName } from "../checkpoint/checkpoint_folder.ts";
import { classMetrics } from "../evaluation/class_metrics.ts";
import { readEvaluationDetails } from "../evaluation/evaluation_details.ts";
import { type LoadedRun, loadRun } from "../load_run.ts";
import { describeModel, encodeRun } from "../run_export.ts";
import { readEvaluation, type RunEvaluation } from "../run_folder.ts";
import { readArguments } from "./arguments.ts";
import { readCardFile } from "../registry/card_file.ts";
import { currentUser } from "../registry/who.ts";
import { runCommand } from "./command.ts";

const HELP = `Exports a run as ONNX and publishes it, with its manifest, to an object store

Usage: topfive publish RUN --store STORE --name NAME [--version V]

  RUN           a run folder that topfive train made and topfive evaluate measured
  --store STORE the object store: a folder, or s3://bucket/prefix with the usual AWS variables
  --name NAME   the model's name in the store
  --checkpoint NAME   best: the least validation error (default); latest, previous, or a file
  --card FILE   JSON with what people should know of it: intendedUse, outOfScope, data, weaknesses
                (a list), contact, licence; each may be left out
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
  readonly card: string | undefined;
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
    card: "value",
    json: "switch",
  });
  const { store, name, version, checkpoint = "best", card, json = false } = options;
  if (folder === undefined || others.length > 0 || store === undefined || name === undefined) {
    throw new SyntaxError("Cannot publish: expected one run folder, --store STORE and --name NAME");
  }
  parseSafeName("model name", name);
  if (version !== undefined) parseSafeName("model version", version);
  return { folder, store, name, version, checkpoint, card, json };
}

async function run(given: Given): Promise<number> {
  const { folder, store, name, version, checkpoint, json } = given;
  const card = given.card === undefined ? undefined : await readCardFile(given.card);
  const loaded = await loadRun(folder, checkpoint);
  const evaluation = await requireEvaluation(folder, loaded);
  const metrics = await measuredOf(folder, evaluation, loaded.run.classes);
  const manifest = await publishModel(
    openStore(store),
    {
      weights: await joined(encodeRun(loaded)),
      manifest: describeModel(loaded, metrics, { name, version, card }),
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

/** The evaluation's numbers, with intervals and classes where the run keeps its details. */
async function measuredOf(
  folder: string,
  { dataFingerprint: _data, step: _step, ...summary }: RunEvaluation,
  classes: readonly string[],
): Promise<NonNullable<UnpublishedManifest["metrics"]>> {
  const details = (await readEvaluationDetails(folder))?.details;
  // Of another evaluation, should somebody have put files together.
  if (details?.split !== summary.split || details.top1Error !== summary.top1Error) return summary;
  const { top1Interval, top5Interval, calibrationError } = details;
  const byClass = classMetrics(details, classes);
  return { ...summary, top1Interval, top5Interval, calibrationError, ...byClass };
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
