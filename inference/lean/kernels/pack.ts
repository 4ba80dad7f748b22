// @ts-nocheck: AssemblyScript (build.ts); Deno formats and lints it alone.
// Weights as they arrive → panels of 8 outputs, as the products read them.

/**
 * Up to 8 outputs into one panel [k][8] of float32.
 *
 * @param from     weights of a channel, tap and output `…Bytes` apart from the next
 * @param rowTaps  taps of a kernel's row, pixelLength numbers apart; rows are rowLength numbers apart
 */
// deno-fmt-ignore
export function packF32(
  from: usize, outputs: i32, outputBytes: i32, rows: i32, rowTaps: i32, tapBytes: i32,
  channels: i32, channelBytes: i32, panel: usize, rowLength: i32, pixelLength: i32,
): void {
  for (let row = 0; row < rows; row++) {
    for (let tap = 0; tap < rowTaps; tap++) {
      const source = from + (row * rowTaps + tap) * tapBytes;
      const to = panel + (row * rowLength + tap * pixelLength) * 32;
      for (let channel = 0; channel < channels; channel++) {
        for (let output = 0; output < outputs; output++) {
          store<f32>(
            to + channel * 32 + output * 4,
            load<f32>(source + channel * channelBytes + output * outputBytes),
          );
        }
      }
    }
  }
}

/** The same of bytes, into a panel [k / 4][8][4]. */
// deno-fmt-ignore
export function packI8(
  from: usize, outputs: i32, outputBytes: i32, rows: i32, rowTaps: i32, tapBytes: i32,
  channels: i32, channelBytes: i32, panel: usize, rowLength: i32, pixelLength: i32,
): void {
  for (let row = 0; row < rows; row++) {
    for (let tap = 0; tap < rowTaps; tap++) {
      const source = from + (row * rowTaps + tap) * tapBytes;
      const k0 = row * rowLength + tap * pixelLength;
      for (let channel = 0; channel < channels; channel++) {
        const k = k0 + channel;
        const to = panel + (k >> 2) * 32;
        for (let output = 0; output < outputs; output++) {
          store<i8>(
            to + place(output, k & 3),
            load<i8>(source + channel * channelBytes + output * outputBytes),
          );
        }
      }
    }
  }
}

/** Where a weight lies among the 32 of four k and 8 outputs: see dot() in vector.ts. */

function place(output: i32, k: i32): i32 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    return output * 4 + k;
  } else {
    return (output >> 2) * 16 + (k >> 1) * 8 + (output & 3) * 2 + (k & 1);
  }
}
