// @ts-nocheck: AssemblyScript (build.ts); Deno formats and lints it alone.

/** a b + c; with one rounding where the engine has relaxed SIMD. */

export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    return f32x4.relaxed_madd(a, b, c);
  } else {
    return f32x4.add(f32x4.mul(a, b), c);
  }
}

/** A ReLU where it is asked for; `pmax` is one instruction, and keeps what is no number. */

export function zeroOr(x: v128, relu: bool): v128 {
  return relu ? f32x4.pmax(x, f32x4.splat(0)) : x;
}

/**
 * c + Σ over groups of four bytes: a signed, b from 0 to 127. The relaxed instruction may take the
 * second operand's sign bit either way, and may saturate a sum of two products at 16 bits; with
 * seven bits neither happens, so that both builds and all processors give the same sums.
 *
 * Without it: products of the first two bytes of each output lie in the lower half, those of the
 * last two in the upper one (`WEIGHT_ORDER` in pack.ts).
 */

export function dot(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    return i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, c);
  } else {
    const products = i16x8.add(i16x8.extmul_low_i8x16_s(a, b), i16x8.extmul_high_i8x16_s(a, b));
    return i32x4.add(c, i32x4.extadd_pairwise_i16x8_s(products));
  }
}

/** Four bytes of input, in the order in which dot() wants them. */

export function splatBytes(at: usize): v128 {
  const x = v128.load32_splat(at);
  if (ASC_FEATURE_RELAXED_SIMD) {
    return x;
  } else {
    return i8x16.shuffle(x, x, 0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3);
  }
}
