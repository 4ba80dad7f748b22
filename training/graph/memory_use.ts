/** What training a graph takes of a device's memory, by the plan: no device is needed. */
import { TOTAL_ROWS, TOTALS } from "../kernels/totals/totals.ts";
import type { OpTarget } from "../ops/op.ts";
import { STEP_BYTES } from "../ops/step.ts";
import type { Graph } from "./graph.ts";
import { layOutParameters } from "./parameters.ts";
import { plan } from "./plan.ts";

/** Bytes. */
export interface MemoryUse {
  readonly batch: number;
  /** Of each of the three arenas: weights, their gradients, their momenta. */
  readonly weights: number;
  readonly weightGradients: number;
  readonly momenta: number;
  /** The weights once more in float16, which products read; 0 in float32. */
  readonly halfWeights: number;
  /** What would be needed without sharing. */
  readonly activations: number;
  readonly activationGradients: number;
  readonly saved: number;
  readonly scratch: number;
  /** Those four as they share buffers by lifetime, and how many buffers. */
  readonly shared: number;
  readonly buffers: number;
  /** Records, what is drawn for them, labels, means, losses: what a step brings and says. */
  readonly input: number;
  /** Arenas, shared buffers and input. */
  readonly total: number;
}

export interface MemoryOptions {
  readonly target: OpTarget;
  /** One image as bytes, as it is uploaded. */
  readonly recordBytes: number;
}

/** What the engine allocates for a whole batch at a time. */
export function memoryUse(graph: Graph, batch: number, options: MemoryOptions): MemoryUse {
  const { target, recordBytes } = options;
  const arena = layOutParameters(graph);
  const training = plan(graph, arena, { batch, target, training: true });
  const evaluation = plan(graph, arena, { batch, target, training: false });
  const count = Math.max(training.slots.length, evaluation.slots.length);
  let shared = 0;
  for (let i = 0; i < count; i++) {
    shared += Math.max(training.slots[i] ?? 0, evaluation.slots[i] ?? 0);
  }
  // A crop and a label are four bytes, colours four numbers and losses three an image.
  const { height, width } = graph.input.shape;
  const input = batch * (recordBytes + 4 + 4 + 16 + 12) + 16 * height * width +
    4 * TOTAL_ROWS * TOTALS + STEP_BYTES;
  const halfWeights = target.precision === "f16" ? arena.bytes / 2 : 0;
  const { activations, gradients, saved, scratch } = training.bytes;
  return {
    batch,
    weights: arena.bytes,
    weightGradients: arena.bytes,
    momenta: arena.bytes,
    halfWeights,
    activations,
    activationGradients: gradients,
    saved,
    scratch,
    shared,
    buffers: count,
    input,
    total: 3 * arena.bytes + halfWeights + shared + input,
  };
}

/** The largest batch that fits into so many bytes, worked on as a whole; null where not one does. */
export function largestBatch(
  graph: Graph,
  bytes: number,
  options: MemoryOptions,
): MemoryUse | null {
  let fits = memoryUse(graph, 1, options);
  if (fits.total > bytes) return null;
  let exceeds = memoryUse(graph, 2, options);
  while (exceeds.total <= bytes) {
    // Memory grows almost in a line with the batch: a little over where the line meets the limit.
    const slope = (exceeds.total - fits.total) / (exceeds.batch - fits.batch);
    fits = exceeds;
    const further = Math.ceil(1.01 * (bytes - fits.total) / slope) + 1;
    exceeds = memoryUse(graph, fits.batch + further, options);
  }
  while (exceeds.batch - fits.batch > 1) {
    const share = (bytes - fits.total) / (exceeds.total - fits.total);
    const guess = fits.batch + Math.floor(share * (exceeds.batch - fits.batch));
    const batch = Math.min(exceeds.batch - 1, Math.max(fits.batch + 1, guess));
    const own = memoryUse(graph, batch, options);
    if (own.total <= bytes) fits = own;
    else exceeds = own;
  }
  return fits;
}
