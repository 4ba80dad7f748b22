import { type Dispatch, flatWorkgroups, specialize } from "../../gpu/kernel.ts";
import text from "./squared_sums.wgsl" with { type: "text" };

const CHUNK_FLOATS = 4 * 4096;
/** float32 numbers that a chunk leaves: of parameters, gradients and momenta, and one unused. */
export const CHUNK_SUMS = 4;

export type NormsBuffer = "parameters" | "gradients" | "momenta" | "norms";

export function chunksOf(floats: number): number {
  return Math.ceil(floats / CHUNK_FLOATS);
}

/**
 * Sums of squares of a range of the three arenas, chunk by chunk. The text is the same for every
 * range, so that all are one pipeline.
 *
 * @param range bytes of the arenas
 * @param sums bytes of the buffer "norms", {@link CHUNK_SUMS} numbers a chunk
 */
export function squaredSums(
  range: { readonly offset: number; readonly size: number },
  sums: { readonly offset: number; readonly size: number },
  maxWorkgroups: number,
): Dispatch<NormsBuffer> {
  return {
    kernel: { label: "squared sums", code: specialize(text, {}) },
    bindings: [
      { buffer: "parameters", ...range },
      { buffer: "gradients", ...range },
      { buffer: "momenta", ...range },
      { buffer: "norms", ...sums },
    ],
    workgroups: flatWorkgroups(chunksOf(range.size / 4), 1, maxWorkgroups),
  };
}
