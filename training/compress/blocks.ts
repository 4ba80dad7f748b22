/**
 * Weights of fully connected layers in 4 bits, a scale for each block of `BLOCK` weights of an output.
 * @module
 */

/** Weights of one output that share a scale. */
export const BLOCK = 64;

/** The integers are -8 to 7. */
const LOW = -8;
const HIGH = 7;

/**
 * Where the largest weight of a block is put, in steps: beyond -8 it is cut off, and the others have
 * finer steps.
 */
const REACHES = [6.5, 7, 7.5, 8, 8.5, 9, 9.5, 10];

/**
 * Integers, and the scale of each block of each output, of the least squared error among `REACHES`.
 *
 * @param data [inputs, outputs]
 * @returns values [inputs, outputs] and scales [inputs / block rounded up, outputs]
 */
export function quantizeByBlock(
  data: Float32Array,
  [inputs, outputs]: readonly [number, number],
  block = BLOCK,
): { readonly values: Int8Array; readonly scales: Float32Array } {
  const values = new Int8Array(data.length);
  const scales = new Float32Array(Math.ceil(inputs / block) * outputs);
  const weights = new Float32Array(block);
  for (let first = 0, at = 0; first < inputs; first += block) {
    const length = Math.min(block, inputs - first);
    for (let output = 0; output < outputs; output++, at++) {
      for (let i = 0; i < length; i++) weights[i] = data[(first + i) * outputs + output]!;
      const scale = Math.fround(bestScale(weights.subarray(0, length)));
      scales[at] = scale;
      for (let i = 0; i < length; i++) {
        values[(first + i) * outputs + output] = stepOf(weights[i]! / scale);
      }
    }
  }
  return { values, scales };
}

/** By least squares: given the integers q of weights w, the scale Σ w q / Σ q². */
function bestScale(weights: Float32Array): number {
  let largest = 0;
  for (const weight of weights) if (Math.abs(weight) > Math.abs(largest)) largest = weight;
  // Any does for a block of zeros.
  if (largest === 0) return 1;
  let [best, gain] = [0, -1];
  for (const reach of REACHES) {
    // Its sign turns the largest weight to -8, the end that reaches further.
    const inverse = -reach / largest;
    let [products, squares] = [0, 0];
    for (const weight of weights) {
      const q = stepOf(weight * inverse);
      products += weight * q;
      squares += q * q;
    }
    // What the squared error is less than Σ w².
    if (squares > 0 && products * products / squares > gain) {
      [best, gain] = [products / squares, products * products / squares];
    }
  }
  return best;
}

function stepOf(steps: number): number {
  return Math.max(LOW, Math.min(HIGH, Math.round(steps)));
}
