/** An ONNX file as a predictor, in ONNX Runtime: what a service will answer, on a whole split. */
import type { InferenceSession } from "onnxruntime-web";
import { z } from "zod";
import { type PreprocessSpec, recordToTensor } from "../../shared/image/preprocess.ts";
import type { Split } from "../dataset/dataset.ts";
import { evaluationBatches } from "../dataset/loader.ts";
import { decodeOnnx } from "../../shared/onnx/read.ts";
import { openOnnxSession, runOnnx } from "./onnx_session.ts";
import type { PredictOptions, Predictor } from "./predictor.ts";
import type { View } from "./views.ts";

const BATCH = 16;

const numbers = z.array(z.number()).min(1);
const MetadataSchema = z.object({
  labels: z.array(z.string()).min(2),
  preprocess: z.strictObject({
    side: z.int().positive(),
    crop: z.int().positive(),
    channels: z.union([z.literal(1), z.literal(3)]),
    mean: numbers,
    std: numbers,
  }),
});

/**
 * @param path an ONNX file with the metadata "labels" and "preprocess", as `topfive export` writes it
 * @throws {SyntaxError} where the file is none, or does not say how images are fed to it.
 */
export async function onnxPredictor(path: string): Promise<Predictor> {
  const bytes = await Deno.readFile(path);
  return await onnxPredictorOf(path, bytes, readMetadata(path, bytes));
}

/**
 * As {@link onnxPredictor}, of a file in memory whose metadata lie beside it.
 *
 * @param name what messages call it
 */
export async function onnxPredictorOf(
  name: string,
  bytes: Uint8Array,
  { labels, preprocess }: {
    readonly labels: readonly string[];
    readonly preprocess: PreprocessSpec;
  },
): Promise<Predictor> {
  const session = await openOnnxSession(name, bytes);
  return {
    classes: labels,
    preprocess,
    predict: (split, options) =>
      predictSplit({ session, preprocess, classes: labels.length }, split, options),
    close: () => session.release(),
  };
}

/** Labels and preprocessing, which `topfive export` writes into its files. */
export function readMetadata(path: string, bytes: Uint8Array): z.infer<typeof MetadataSchema> {
  const { metadata } = decodeOnnx(bytes);
  const parse = (name: string): unknown => {
    try {
      return JSON.parse(metadata[name] ?? "null");
    } catch {
      return null;
    }
  };
  const known = { labels: parse("labels"), preprocess: parse("preprocess") };
  const result = MetadataSchema.safeParse(known);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new SyntaxError(
    `Cannot evaluate ${path}: its metadata does not say how images are fed to it, ` +
      `${issue!.path.join(".")}: ${issue!.message} (expected labels and preprocess, ` +
      "which topfive export writes)",
  );
}

interface Network {
  readonly session: InferenceSession;
  readonly preprocess: PreprocessSpec;
  readonly classes: number;
}

async function predictSplit(
  network: Network,
  split: Split,
  { views, onProgress }: PredictOptions,
): Promise<Float32Array<ArrayBuffer>> {
  const { session, preprocess: { channels, crop, side }, classes } = network;
  const output = session.outputNames[0]!;
  const recordBytes = side * side * channels;
  const sums = new Float32Array(split.count * classes);
  for (const { records, count, start } of evaluationBatches(split, BATCH)) {
    for (const view of views) {
      const images = new Float32Array(count * channels * crop * crop);
      for (let i = 0; i < count; i++) {
        const record = records.subarray(i * recordBytes, (i + 1) * recordBytes);
        images.set(viewOf(record, network.preprocess, view), i * channels * crop * crop);
      }
      const dims = [count, channels, crop, crop];
      const answers = await runOnnx(session, images, dims);
      answers[output]!.forEach((value, i) => sums[start * classes + i]! += value);
    }
    onProgress?.(start + count);
  }
  return sums.map((sum) => sum / views.length);
}

/** Planes [channels, crop, crop] of one view. */
export function viewOf(record: Uint8Array, spec: PreprocessSpec, view: View): Float32Array {
  const planes = recordToTensor(record, spec, view);
  if (!view.mirror) return planes;
  const { crop } = spec;
  return planes.map((_, i) => planes[i - i % crop + crop - 1 - i % crop]!);
}
