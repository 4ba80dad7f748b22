import { free } from "../shared/free.ts";
import type { ServedModel } from "./models/served_model.ts";
import { ProblemError } from "./problem.ts";
import { type Stage, stagesOf } from "./telemetry/stages.ts";
import type { BatchedRun } from "./workers/batcher.ts";
import type { DecodePool } from "./workers/decode_pool.ts";
import type { DecodeTask, NetworkInputs } from "./workers/make_inputs.ts";
import { WorkerEndedError } from "./workers/task_worker.ts";

/** What the network said to one image, and where the time went. */
export interface ImageWork {
  /** [inputs, classes] */
  readonly probabilities: Float32Array;
  readonly runs: readonly BatchedRun[];
  readonly stages: readonly Stage[];
  /** Pixels of the file; undefined where the client sent the network's own input. */
  readonly pixels: number | undefined;
}

/** One image to be worked on. */
export interface ImageTask {
  /** An encoded image, or the network's own input [channels, crop, crop]. */
  readonly source: Uint8Array<ArrayBuffer> | Float32Array;
  /** Nobody else needs an encoded image: it goes to the decoder, and is gone here. */
  readonly move?: boolean;
  readonly views: DecodeTask["views"];
  /** Most pixels of an encoded image. */
  readonly maxPixels: number;
  /** Milliseconds since 1970. */
  readonly arrivedAt: number;
}

/**
 * Bytes → decoder → network; inputs of one image share runs with each other and with those of others.
 *
 * @throws {ImageError} when the bytes are no image, a broken one or one of too many pixels.
 * @throws {ProblemError} `image-too-slow`
 */
export async function runImage(
  model: ServedModel,
  decoders: DecodePool,
  task: ImageTask,
  signal: AbortSignal,
): Promise<ImageWork> {
  const { source, arrivedAt } = task;
  const made = source instanceof Float32Array
    ? undefined
    : await decode(model, decoders, { ...task, source }, signal);
  const values = made?.values ?? source as Float32Array;
  const count = made?.count ?? 1;
  const length = values.length / count;
  const options = { signal, patient: count > 1 };
  const runs = await Promise.all(
    Array.from(
      { length: count },
      (_, index) => model.run(values.subarray(index * length, (index + 1) * length), options),
    ),
  );
  if (made !== undefined) free(made.values);
  const classes = runs[0]!.probabilities.length;
  const probabilities = new Float32Array(classes * count);
  runs.forEach((run, index) => probabilities.set(run.probabilities, index * classes));
  return { probabilities, runs, stages: stagesOf(arrivedAt, made, runs), pixels: made?.pixels };
}

async function decode(
  { manifest }: ServedModel,
  decoders: DecodePool,
  { source: bytes, views, maxPixels, move = false }: ImageTask & {
    readonly source: Uint8Array<ArrayBuffer>;
  },
  signal: AbortSignal,
): Promise<NetworkInputs> {
  try {
    const task = { bytes, spec: manifest.preprocess, maxPixels, views };
    return await decoders.decode(task, { signal, move });
  } catch (error) {
    if (!(error instanceof WorkerEndedError)) throw error;
    throw new ProblemError("image-too-slow", "Cannot decode the image in time", { cause: error });
  }
}
