// @ts-nocheck: AssemblyScript (build.ts); Deno formats and lints it alone.
// Numbers as files store them → float32, eight at a time: up to seven more are written than asked for.

/** float16, infinities and what lies below its normal numbers too. */
export function widenF16(from: usize, count: i32, to: usize): void {
  for (const end = to + (count << 2); to < end; to += 32, from += 16) {
    v128.store(to, half(v128.load_ext<u16>(from)));
    v128.store(to, half(v128.load_ext<u16>(from, 8)), 16);
  }
}

/**
 * float16 → 16 bits as `productF16` reads them: float16 with exponents 10 higher, which numbers below
 * 128 have room for.
 *
 * @param over 16 bytes that are not all 0 behind it where some number was larger
 */
export function recodeF16(from: usize, count: i32, to: usize, over: usize): void {
  let large = i32x4.splat(0);
  for (const end = to + (count << 1); to < end; to += 16, from += 16) {
    const a = recoded(v128.load_ext<u16>(from)), b = recoded(v128.load_ext<u16>(from, 8));
    large = v128.or(large, v128.or(i32x4.shr_u(a, 16), i32x4.shr_u(b, 16)));
    v128.store(to, i16x8.narrow_i32x4_u(a, b));
  }
  v128.store(over, large);
}

function recoded(bits: v128): v128 {
  const wide = i32x4.shr_u(v128.and(half(bits), i32x4.splat(0x7fffffff)), 13);
  // 0 has no exponent to raise.
  const raised = i32x4.max_s(i32x4.sub(wide, i32x4.splat(102 << 10)), i32x4.splat(0));
  // A carry would be lost in the sign: it is told by the bits above.
  const large = v128.and(i32x4.gt_s(raised, i32x4.splat(0x7fff)), i32x4.splat(0x10000));
  return v128.or(v128.or(raised, large), v128.and(bits, i32x4.splat(0x8000)));
}

/** Bits of float16 in 32-bit lanes: the exponent's bias is 15 in those, 127 in float32's. */

function half(bits: v128): v128 {
  const magnitude = i32x4.shl(v128.and(bits, i32x4.splat(0x7fff)), 13);
  const exponent = v128.and(magnitude, i32x4.splat(0x0f800000));
  const normal = i32x4.add(magnitude, i32x4.splat(112 << 23));
  // Without the leading bit that an exponent of 0 does not have.
  const least = i32x4.splat(113 << 23);
  const small = f32x4.sub(i32x4.add(magnitude, least), least);
  const finite = v128.bitselect(small, normal, i32x4.eq(exponent, i32x4.splat(0)));
  const infinite = i32x4.eq(exponent, i32x4.splat(0x0f800000));
  const sign = i32x4.shl(v128.and(bits, i32x4.splat(0x8000)), 16);
  return v128.or(v128.or(finite, v128.and(infinite, i32x4.splat(0x7f800000))), sign);
}

/** int8 as the same numbers. */
export function widenI8(from: usize, count: i32, to: usize): void {
  for (const end = to + (count << 2); to < end; to += 32, from += 8) {
    const words = v128.load_ext<i8>(from);
    v128.store(to, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(words)));
    v128.store(to, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(words)), 16);
  }
}

/** Weights that lie in panels of 8 outputs, [panel][k][8], times the scale of each output. */
export function scalePanels(at: usize, panels: i32, length: i32, scales: usize): void {
  for (let panel = 0; panel < panels; panel++, scales += 32) {
    const a = v128.load(scales), b = v128.load(scales, 16);
    for (const end = at + (length << 5); at < end; at += 32) {
      v128.store(at, f32x4.mul(v128.load(at), a));
      v128.store(at, f32x4.mul(v128.load(at, 16), b), 16);
    }
  }
}
