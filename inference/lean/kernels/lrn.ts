// @ts-nocheck: AssemblyScript (build.ts); Deno formats and lints it alone.

/**
 * Local response normalisation across channels: x (bias + alpha / size Σ x²)^-beta over the `size`
 * channels around each (ONNX, LRN).
 *
 * @param squares scratch of channels + size + 4 numbers; the first and the last are to be zeros
 * @param alpha   divided by size already
 */
// deno-fmt-ignore
export function lrnF32(
  input: usize, inputPixel: i32, output: usize, outputPixel: i32, pixels: i32, channels: i32,
  squares: usize, size: i32, alpha: f32, beta: f32, bias: f32,
): void {
  const before = (size - 1) >> 1;
  const alphas = f32x4.splat(alpha), biases = f32x4.splat(bias);
  const inner = squares + (before << 2);
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let c = 0; c < channels; c += 4) {
      const x = v128.load(input + (c << 2));
      v128.store(inner + (c << 2), f32x4.mul(x, x));
    }
    for (let c = 0; c < channels; c += 4) {
      const at = squares + (c << 2);
      let sum = v128.load(at);
      for (let i = 1; i < size; i++) sum = f32x4.add(sum, v128.load(at + (i << 2)));
      const base = f32x4.add(biases, f32x4.mul(alphas, sum));
      const x = v128.load(input + (c << 2));
      v128.store(output + (c << 2), f32x4.div(x, power(base, beta)));
    }
    input += inputPixel;
    output += outputPixel;
  }
}

/** AlexNet's 0.75 is two square roots; a power of any other kind goes lane by lane. */

function power(base: v128, exponent: f32): v128 {
  if (exponent === 0.75) {
    const root = f32x4.sqrt(base);
    return f32x4.mul(root, f32x4.sqrt(root));
  }
  let result = f32x4.splat(Mathf.pow(f32x4.extract_lane(base, 0), exponent));
  result = f32x4.replace_lane(result, 1, Mathf.pow(f32x4.extract_lane(base, 1), exponent));
  result = f32x4.replace_lane(result, 2, Mathf.pow(f32x4.extract_lane(base, 2), exponent));
  return f32x4.replace_lane(result, 3, Mathf.pow(f32x4.extract_lane(base, 3), exponent));
}
