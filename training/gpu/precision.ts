/**
 * What tensors and the weights that products read are stored as. Everything is computed in float32;
 * what sums grow into (gradients of parameters), the parameters that are updated, their momenta,
 * probabilities and losses are float32 in either.
 * @module
 */
export const PRECISIONS = ["f32", "f16"] as const;
export type Precision = typeof PRECISIONS[number];

/** Of one stored number. */
export function bytesOf(precision: Precision = "f32"): number {
  return precision === "f16" ? 2 : 4;
}

/** Half the unit in the last place of the stored mantissa: the largest relative error of rounding. */
export function roundingOf(precision: Precision): number {
  return precision === "f16" ? 2 ** -11 : 2 ** -24;
}

/**
 * The types that a kernel's text stores tensors in: it reads `vec4f(input[i])` and writes
 * `output[i] = Stored4(value)`, and is the same text for both precisions. What float16 cannot hold
 * (more than 65,504) becomes infinite.
 */
export function storageTypes(precision: Precision): string {
  return precision === "f16"
    ? "enable f16;\nalias Stored = f16;\nalias Stored4 = vec4<f16>;\n"
    : "alias Stored = f32;\nalias Stored4 = vec4f;\n";
}

/** Numbers as a tensor stores them. */
export function toStored(
  values: Float32Array<ArrayBuffer>,
  precision: Precision = "f32",
): Float32Array<ArrayBuffer> | Float16Array<ArrayBuffer> {
  return precision === "f16" ? Float16Array.from(values) : values;
}

/** The numbers of a tensor's bytes. */
export function fromStored(
  bytes: ArrayBuffer,
  precision: Precision = "f32",
): Float32Array<ArrayBuffer> {
  return precision === "f16" ? Float32Array.from(new Float16Array(bytes)) : new Float32Array(bytes);
}
