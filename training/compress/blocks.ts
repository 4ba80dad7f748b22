/**
 * Weights of fully connected layers in 4 bits, a scale for each block of `BLOCK` weights of an output.
 * @module
 */

import type { InputMoments } from "./input_moments.ts";

/** Weights of one output that share a scale. */
export const BLOCK = 128;

/** The integers are -8 to 7. */
const LOW = -8;
const HIGH = 7;

/**
 * Where the largest weight of a block is put, in steps: beyond -8 it is cut off, and the others have
 * finer steps.
 */
const REACHES = [6.5, 7, 7.5, 8, 8.5, 9, 9.5, 10];

/** Of the inputs' mean square, see `InputMoments.regressions`: less fits the calibration images alone. */
const DAMPING = 0.1;

/**
 * Integers, and the scale of each block of each output, of the least squared error among `REACHES`.
 * With moments of the inputs the error of a rounded weight goes on to those behind it in its block, as
 * far as their inputs follow the same images (Frantar et al., "GPTQ", 2022, within a block).
 *
 * @param data [inputs, outputs]
 * @returns values [inputs, outputs] and scales [inputs / block rounded up, outputs]
 */
export function quantizeByBlock(
  data: Float32Array,
  [inputs, outputs]: readonly [number, number],
  { block = BLOCK, moments }: {
    readonly block?: number;
    readonly moments?: InputMoments | undefined;
  } = {},
): { readonly values: Int8Array; readonly scales: Float32Array } {
  const values = new Int8Array(data.length);
  const scales = new Float32Array(Math.ceil(inputs / block) * outputs);
  for (let first = 0, index = 0; first < inputs; first += block, index++) {
    const end = Math.min(first + block, inputs);
    const rows = data.slice(first * outputs, end * outputs);
    const rowScales = scales.subarray(index * outputs, (index + 1) * outputs);
    chooseScales(rows, rowScales);
    const coefficients = moments?.regressions(index, DAMPING);
    roundRows(rows, rowScales, coefficients, values.subarray(first * outputs, end * outputs));
  }
  return { values, scales };
}

/** Of each output of a block, rows [inputs of the block, outputs]. */
function chooseScales(rows: Float32Array, scales: Float32Array): void {
  const outputs = scales.length;
  const weights = new Float32Array(rows.length / outputs);
  for (let output = 0; output < outputs; output++) {
    for (let i = 0; i < weights.length; i++) weights[i] = rows[i * outputs + output]!;
    scales[output] = bestScale(weights);
  }
}

/** Rounds one input's weights after another; what each loses is given to those that tell of it. */
function roundRows(
  rows: Float32Array,
  scales: Float32Array,
  coefficients: Float64Array | undefined,
  values: Int8Array,
): void {
  const outputs = scales.length;
  const inputs = rows.length / outputs;
  const errors = new Float32Array(outputs);
  for (let i = 0; i < inputs; i++) {
    for (let output = 0; output < outputs; output++) {
      const [at, scale] = [i * outputs + output, scales[output]!];
      values[at] = stepOf(rows[at]! / scale);
      errors[output] = rows[at]! - values[at]! * scale;
    }
    for (let j = i + 1; coefficients && j < inputs; j++) {
      const share = coefficients[i * inputs + j]!;
      for (let output = 0; output < outputs; output++) {
        rows[j * outputs + output]! += share * errors[output]!;
      }
    }
  }
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
