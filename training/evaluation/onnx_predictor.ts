/** An ONNX file as a predictor, in ONNX Runtime: what a service will answer, on a whole split. */
import type { InferenceSession } from "onnxruntime-web";
import { z } from "zod";
import { readNetwork } from "../../shared/classifier/network.ts";
import { readPreprocess } from "../../shared/classifier/preprocess_file.ts";
import { areProbabilities, softmax } from "../../shared/softmax.ts";
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

/** What a file's user must know of it; a manifest has it. */
export interface Classifier {
  readonly labels: readonly string[];
  readonly preprocess: PreprocessSpec;
  /** What turns the output into probabilities; told from the first answers when left out. */
  readonly output?: {
    readonly name?: string;
    readonly activation?: "none" | "softmax" | undefined;
  };
}

/** What a user says of a file that does not say it itself. */
export interface Foreign {
  readonly labels: readonly string[];
  /** A preset's name or the text of a JSON file, see `readPreprocess`. */
  readonly preprocess: string;
  /** The output to take where there are several. */
  readonly output?: string | undefined;
}

/**
 * @param path an ONNX file with the metadata "labels" and "preprocess", as `topfive export` writes it,
 * or any image classifier with what is said of it
 * @throws {SyntaxError} where the file is none, or nothing says how images are fed to it.
 * @throws {RangeError} where it is no image classifier, or has not as many classes as labels.
 */
export async function onnxPredictor(path: string, foreign?: Foreign): Promise<Predictor> {
  const bytes = await Deno.readFile(path);
  if (!foreign) return await onnxPredictorOf(path, bytes, readMetadata(path, bytes));
  const session = await openOnnxSession(path, bytes);
  const network = readNetwork(session, foreign.output);
  const { labels, output } = foreign;
  const preprocess = readPreprocess(foreign.preprocess, network.input);
  return predictorOf(path, session, {
    labels,
    preprocess,
    ...(output ? { output: { name: output } } : {}),
  });
}

/**
 * As {@link onnxPredictor}, of a file in memory whose metadata lie beside it.
 *
 * @param name what messages call it
 */
export async function onnxPredictorOf(
  name: string,
  bytes: Uint8Array,
  classifier: Classifier,
): Promise<Predictor> {
  return predictorOf(name, await openOnnxSession(name, bytes), classifier);
}

function predictorOf(
  name: string,
  session: InferenceSession,
  { labels, preprocess, output }: Classifier,
): Predictor {
  const { input, output: { name: outputName, classes } } = readNetwork(session, output?.name);
  if (classes !== null && classes !== labels.length) {
    throw new RangeError(
      `Cannot evaluate ${name}: it has ${classes} classes, and ${labels.length} labels are given`,
    );
  }
  const network: Network = {
    session,
    preprocess,
    output: outputName,
    batch: input.batch === 1 ? 1 : BATCH,
    classes: labels.length,
  };
  let activation = output?.activation;
  return {
    classes: labels,
    preprocess,
    predict: (split, options) =>
      predictSplit(network, split, options, (answers) => {
        activation ??= areProbabilities(answers, labels.length) ? "none" : "softmax";
        return activation === "none" ? answers : softmax(answers, labels.length);
      }),
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
      "which topfive export writes; or say them: --labels FILE --preprocess FILE|PRESET)",
  );
}

interface Network {
  readonly session: InferenceSession;
  readonly preprocess: PreprocessSpec;
  readonly output: string;
  readonly batch: number;
  readonly classes: number;
}

async function predictSplit(
  network: Network,
  split: Split,
  { views, onProgress }: PredictOptions,
  toProbabilities: (answers: Float32Array) => Float32Array,
): Promise<Float32Array<ArrayBuffer>> {
  const { session, preprocess: { channels, crop, side }, output, batch, classes } = network;
  const recordBytes = side * side * channels;
  const sums = new Float32Array(split.count * classes);
  for (const { records, count, start } of evaluationBatches(split, batch)) {
    for (const view of views) {
      const images = new Float32Array(count * channels * crop * crop);
      for (let i = 0; i < count; i++) {
        const record = records.subarray(i * recordBytes, (i + 1) * recordBytes);
        images.set(viewOf(record, network.preprocess, view), i * channels * crop * crop);
      }
      const dims = [count, channels, crop, crop];
      const answers = await runOnnx(session, images, dims);
      toProbabilities(answers[output]!)
        .forEach((value, i) => sums[start * classes + i]! += value);
    }
    onProgress?.(start + count);
  }
  return sums.map((sum) => sum / views.length);
}

/** Planes [channels, crop, crop] of one view. */
function viewOf(record: Uint8Array, spec: PreprocessSpec, view: View): Float32Array {
  const planes = recordToTensor(record, spec, view);
  if (!view.mirror) return planes;
  const { crop } = spec;
  return planes.map((_, i) => planes[i - i % crop + crop - 1 - i % crop]!);
}
