import type { Placed } from "../step.ts";
import { type PackedWeights, PANEL } from "../weights.ts";

/**
 * The sum of each output's int8 weights in one group: what a zero point of 1 adds to its product.
 * Computed as a product with a window of ones.
 *
 * @param taps how many runs of input a window has, and the bytes of each
 */
export function weightSums(
  { heap, kernels }: Pick<Placed, "heap" | "kernels">,
  { address, groupBytes, panels }: PackedWeights,
  group: number,
  taps: { readonly count: number; readonly bytes: number },
): Float32Array {
  const outputs = panels * PANEL;
  const mark = heap.end;
  // A whole window is one run: the weights of all taps follow one another.
  const length = taps.count * taps.bytes;
  const ones = heap.take(length);
  heap.bytes(ones, length).fill(1);
  const windows = heap.keepIntegers(Int32Array.of(0, 0));
  const tap = heap.keepIntegers(Int32Array.of(0));
  const start = heap.keepIntegers(new Int32Array(outputs));
  const numbers = new Float32Array(2 * outputs).fill(1, 0, outputs);
  const scales = heap.keepFloats(numbers);
  const sums = heap.take(outputs * 4);
  // deno-fmt-ignore
  kernels.productI8(
    ones, windows, 1, tap, 1, length, address + group * groupBytes, start, scales, outputs * 4,
    outputs, sums, 0, 0,
  );
  const result = heap.floats(sums, outputs).slice();
  heap.release(mark);
  return result;
}
