// @ts-nocheck: AssemblyScript (build.ts); Deno formats and lints it alone.
// Between ONNX's planes [channels][height][width] and pixels with their channels side by side.

/** Planes less an offset of the same shape (0: none) → pixels. */
// deno-fmt-ignore
export function pixelsF32(
  planes: usize, offset: usize, channels: i32, height: i32, width: i32, output: usize,
  rowBytes: i32, pixelBytes: i32,
): void {
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      let to = output + y * rowBytes + (c << 2);
      for (let x = 0; x < width; x++, to += pixelBytes) {
        let value = load<f32>(planes);
        planes += 4;
        if (offset) {
          value -= load<f32>(offset);
          offset += 4;
        }
        store<f32>(to, value);
      }
    }
  }
}

/** The same, quantised: x / step + zero, held between `low` and 127. */
// deno-fmt-ignore
export function pixelsI7(
  planes: usize, offset: usize, channels: i32, height: i32, width: i32, output: usize,
  rowBytes: i32, pixelBytes: i32, step: f32, zero: i32, low: i32,
): void {
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      let to = output + y * rowBytes + c;
      let x = 0;
      for (; x + 4 <= width; x += 4, to += 4 * pixelBytes) {
        let values = v128.load(planes);
        planes += 16;
        if (offset) {
          values = f32x4.sub(values, v128.load(offset));
          offset += 16;
        }
        const q = sevenBitLanes(values, step, zero, low);
        v128.store8_lane(to, q, 0);
        v128.store8_lane(to + pixelBytes, q, 4);
        v128.store8_lane(to + 2 * pixelBytes, q, 8);
        v128.store8_lane(to + 3 * pixelBytes, q, 12);
      }
      for (; x < width; x++, to += pixelBytes) {
        let value = load<f32>(planes);
        planes += 4;
        if (offset) {
          value -= load<f32>(offset);
          offset += 4;
        }
        v128.store8_lane(to, sevenBitLanes(f32x4.splat(value), step, zero, low), 0);
      }
    }
  }
}

function sevenBitLanes(values: v128, step: f32, zero: i32, low: i32): v128 {
  const q = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.div(values, f32x4.splat(step))));
  // Held first, so that no sum overflows.
  const held = i32x4.min_s(i32x4.max_s(q, i32x4.splat(low - zero)), i32x4.splat(127 - zero));
  return i32x4.add(held, i32x4.splat(zero));
}

/** Pixels → planes without gaps. */
// deno-fmt-ignore
export function planesF32(
  input: usize, rowBytes: i32, pixelBytes: i32, channels: i32, height: i32, width: i32,
  output: usize,
): void {
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      let from = input + y * rowBytes + (c << 2);
      for (let x = 0; x < width; x++, from += pixelBytes, output += 4) {
        store<f32>(output, load<f32>(from));
      }
    }
  }
}

export function fill(at: usize, value: u8, bytes: usize): void {
  memory.fill(at, value, bytes);
}
