/** What is compressed: a run, an ONNX file that `topfive export` wrote, or a published version. */
import { join } from "node:path";
import type { PreprocessSpec } from "../../shared/image/preprocess.ts";
import type { ModelManifest } from "../../shared/manifest.ts";
import type { UnpublishedManifest } from "../../shared/model_registry.ts";
import { readWeights } from "../../shared/registry/weights.ts";
import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import type { OnnxModel } from "../../shared/onnx/onnx_node.ts";
import { decodeOnnx } from "../../shared/onnx/read.ts";
import { readLivePointer } from "../../shared/registry/pointer.ts";
import { readMetadata } from "../evaluation/onnx_predictor.ts";
import { type LoadedRun, loadRun } from "../load_run.ts";
import { requireVersion } from "../registry/versions.ts";
import { describeModel, encodeRun } from "../run_export.ts";
import { readEvaluation } from "../run_folder.ts";

export interface Subject {
  readonly model: OnnxModel;
  readonly weights: Uint8Array;
  readonly labels: readonly string[];
  readonly preprocess: PreprocessSpec;
  /** Whether the output are scores that a softmax makes probabilities of. */
  readonly scores: boolean;
  /** The run it is, which can be trained further; null for a file or a published version. */
  readonly run: LoadedRun | null;
  readonly manifest: UnpublishedManifest;
  /** False for a file, which does not say how it came to be: its manifest is for a trial alone. */
  readonly mayPublish: boolean;
}

/** Under what a compressed model is published. */
export interface NewVersion {
  readonly name: string | undefined;
  readonly version: string | undefined;
}

/**
 * Opens a model as it was named: a file that ends in .onnx, a run's folder, or NAME[@VERSION] of the
 * store.
 *
 * @throws {Error} when it is none of them.
 */
export async function openSubject(
  named: string,
  store: ObjectStore | null,
  target: NewVersion,
): Promise<Subject> {
  if (named.endsWith(".onnx")) return await openFile(named);
  const isRun = await Deno.stat(join(named, "run.json")).then(() => true, () => false);
  if (isRun) return await openRun(named, target);
  if (store === null) {
    throw new Error(
      `Cannot compress ${named}: it is no run and no .onnx file (a published model needs --store)`,
    );
  }
  return await openPublished(named, store, target);
}

async function openFile(path: string): Promise<Subject> {
  const weights = await Deno.readFile(path);
  const { labels, preprocess } = readMetadata(path, weights);
  const model = decodeOnnx(weights);
  const manifest = describeFile(path, model, { labels, preprocess });
  const origin = { run: null, manifest, mayPublish: false };
  return { model, weights, labels, preprocess, scores: false, ...origin };
}

function describeFile(
  path: string,
  { inputs: [input], outputs: [output] }: OnnxModel,
  { labels, preprocess }: Pick<Subject, "labels" | "preprocess">,
): UnpublishedManifest {
  const [batch, ...dims] = input!.shape;
  const unknown = { codeVersion: "unknown", adapter: "unknown", dataFingerprint: "unknown" };
  return {
    name: "file",
    version: "trial",
    createdAt: new Date().toISOString(),
    input: {
      name: input!.name,
      shape: [typeof batch === "number" ? batch : -1, ...dims as [number, number, number]],
    },
    output: { name: output!.name, classes: labels.length },
    preprocess: { ...preprocess, mean: [...preprocess.mean], std: [...preprocess.std] },
    labels: [...labels],
    provenance: { ...unknown, model: path, config: {}, seed: 0 },
  };
}

/** The run's ONNX file in one piece. */
export function onnxFileOf(run: LoadedRun): Promise<Uint8Array<ArrayBuffer>> {
  return new Blob(encodeRun(run) as Uint8Array<ArrayBuffer>[]).bytes();
}

async function openRun(folder: string, { name, version }: NewVersion): Promise<Subject> {
  const run = await loadRun(folder);
  const weights = await onnxFileOf(run);
  const evaluation = await readEvaluation(folder);
  const measured = evaluation?.step === run.checkpoint.state.step ? evaluation : null;
  const { dataFingerprint: _data, step: _step, ...metrics } = measured ?? {};
  const manifest = describeModel(
    run,
    measured ? metrics as UnpublishedManifest["metrics"] : undefined,
    { name: name ?? run.run.config.model, version },
  );
  return {
    model: decodeOnnx(weights),
    weights,
    labels: run.run.classes,
    preprocess: run.preprocess,
    scores: false,
    run,
    manifest,
    mayPublish: true,
  };
}

async function openPublished(
  named: string,
  store: ObjectStore,
  target: NewVersion,
): Promise<Subject> {
  const [name, asked] = named.split("@", 2) as [string, string | undefined];
  const version = asked ?? (await readLivePointer(store, name))?.version ?? "";
  const published = await requireVersion(store, name, version);
  const weights = await readWeights(store, published);
  return {
    model: decodeOnnx(weights),
    weights,
    labels: published.labels,
    preprocess: published.preprocess,
    scores: published.output.activation === "softmax",
    run: null,
    manifest: describeAgain(published, target),
    mayPublish: true,
  };
}

/** A published version never changes: with its variants it is a version of its own. */
function describeAgain(published: ModelManifest, target: NewVersion): UnpublishedManifest {
  const { schemaVersion: _schema, weights, variants: _variants, ...rest } = published;
  const createdAt = new Date().toISOString();
  const stamp = createdAt.replace(/[-:]|\.\d+Z/g, "").replace("T", "-");
  return {
    ...rest,
    name: target.name ?? published.name,
    version: target.version ?? `${stamp}-${weights.sha256.slice(0, 8)}`,
    createdAt,
    provenance: { ...rest.provenance, parent: published.version },
  };
}
