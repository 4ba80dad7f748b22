/** A trained run as what is published of it: an ONNX file and its manifest. */
import type { ModelCard } from "../shared/manifest.ts";
import type { UnpublishedManifest } from "../shared/model_registry.ts";
import type { LoadedRun } from "./load_run.ts";
import { residualOf } from "./normalization.ts";
import { exportOnnx, INPUT_NAME, OUTPUT_NAME } from "./onnx/export.ts";
import { encodeOnnxChunks } from "./onnx/write.ts";
import { VERSION } from "./version.ts";

/** The run's ONNX file, in pieces: the weights are views and not copied. */
export function encodeRun(loaded: LoadedRun): Uint8Array[] {
  const { run, graph, checkpoint, preprocess, meanCrop } = loaded;
  return encodeOnnxChunks(exportOnnx(graph, checkpoint.parameters, {
    version: VERSION,
    ...(meanCrop ? { inputOffset: residualOf(preprocess, meanCrop) } : {}),
    metadata: {
      labels: JSON.stringify(run.classes),
      preprocess: JSON.stringify(preprocess),
    },
  }));
}

/**
 * The manifest of a run under a name.
 *
 * @param version the time and the first digits of the data's fingerprint when left out
 * @param createdAt ISO 8601; now when left out
 */
export function describeModel(
  { run, graph, preprocess }: LoadedRun,
  metrics: UnpublishedManifest["metrics"],
  { name, version, card, createdAt = new Date().toISOString() }: {
    readonly name: string;
    /** What people should know, in its owners' words. */
    readonly card?: ModelCard | undefined;
    readonly version?: string | undefined;
    readonly createdAt?: string;
  },
): UnpublishedManifest {
  const stamp = createdAt.replace(/[-:]|\.\d+Z/g, "").replace("T", "-");
  const { channels, height, width } = graph.input.shape;
  const { train, validation, test } = run.data.images;
  return {
    name,
    version: version ?? `${stamp}-${run.data.fingerprint.slice(0, 8)}`,
    createdAt,
    input: { name: INPUT_NAME, shape: [-1, channels, height, width] },
    output: { name: OUTPUT_NAME, classes: run.classes.length },
    preprocess: { ...preprocess, mean: [...preprocess.mean], std: [...preprocess.std] },
    labels: run.classes,
    metrics,
    ...(card ? { card } : {}),
    provenance: {
      codeVersion: run.codeVersion,
      model: run.config.model,
      config: run.config,
      seed: run.config.seed,
      adapter: run.adapter,
      dataFingerprint: run.data.fingerprint,
      ...(run.data.content ? { contentFingerprint: run.data.content } : {}),
      images: { train, validation, test },
      parent: run.parent ?? null,
    },
  };
}
