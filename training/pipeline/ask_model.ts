/** A published model's answers about images, by the runtime and the preprocessing of the service. */
import type { ModelManifest } from "../../shared/manifest.ts";
import { readWeights } from "../../shared/registry/weights.ts";
import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import type { Dataset, Split } from "../dataset/dataset.ts";
import { memorySplit } from "../dataset/dataset.ts";
import type { DecodeResult, DecodeTask } from "../dataset/decode_worker.ts";
import { runInWorkers } from "../dataset/worker_pool.ts";
import { onnxPredictorOf } from "../evaluation/onnx_predictor.ts";
import type { Predictor } from "../evaluation/predictor.ts";
import { viewsOf } from "../evaluation/views.ts";

/** Decoded records in memory at a time, bytes. */
const CHUNK_BYTES = 256e6;
const FILES_PER_TASK = 16;

export interface Questions {
  /** Files of the images, in the order of the prepared records. */
  readonly paths: readonly string[];
  /** The same images as records; asked where the model wants them like that. */
  readonly prepared: { readonly dataset: Dataset; readonly split: Split };
  readonly maxPixels: number;
  onProgress(images: number): void;
}

/** Probabilities, or what stands for them, [images, classes]. */
export async function askModel(
  store: ObjectStore,
  manifest: ModelManifest,
  questions: Questions,
): Promise<Float32Array<ArrayBuffer>> {
  const { name, version } = manifest;
  const weights = await readWeights(store, manifest);
  const predictor = await onnxPredictorOf(`${name} ${version}`, weights, manifest);
  try {
    const { side, channels, resize = "crop" } = manifest.preprocess;
    const { dataset, split } = questions.prepared;
    const alike = resize === "crop" && side === dataset.side && channels === dataset.channels;
    return alike
      ? await predictor.predict(split, optionsOf(predictor, questions.onProgress))
      : await askOfFiles(predictor, questions);
  } finally {
    await predictor.close();
  }
}

async function askOfFiles(
  predictor: Predictor,
  { paths, maxPixels, onProgress }: Questions,
): Promise<Float32Array<ArrayBuffer>> {
  const { preprocess: { side, channels, resize }, classes } = predictor;
  const answers = new Float32Array(paths.length * classes.length);
  const chunk = Math.max(FILES_PER_TASK, Math.floor(CHUNK_BYTES / (side * side * channels)));
  for (let at = 0; at < paths.length; at += chunk) {
    const some = paths.slice(at, at + chunk);
    const records = new Uint8Array(some.length * side * side * channels);
    const tasks: DecodeTask[] = [];
    for (let start = 0; start < some.length; start += FILES_PER_TASK) {
      const files = some.slice(start, start + FILES_PER_TASK);
      tasks.push({ paths: files, start, side, channels, resize, maxPixels });
    }
    await runInWorkers<DecodeTask, DecodeResult>({
      module: new URL("../dataset/decode_worker.ts", import.meta.url),
      tasks,
      onResult: (result, { start }) => {
        const broken = result.reasons.find((reason) => reason !== null);
        if (broken) throw new Error(`Cannot ask the champion: ${broken}`);
        records.set(result.records, start * side * side * channels);
      },
    });
    const split = memorySplit(records, new Uint32Array(some.length));
    const onChunk = (images: number) => onProgress(at + images);
    answers.set(
      await predictor.predict(split, optionsOf(predictor, onChunk)),
      at * classes.length,
    );
  }
  return answers;
}

function optionsOf({ preprocess }: Predictor, onProgress: (images: number) => void) {
  return { views: viewsOf(1, preprocess), onProgress };
}
