// @ts-nocheck: AssemblyScript (build.ts); Deno formats and lints it alone.
// Weights as they arrive → panels of 8 outputs, as the products read them: [k][8] of float32, or
// [k / 4][8][4] of bytes.

/**
 * Up to 8 outputs of a convolution into one panel.
 *
 * @param from weights of a channel, tap and output `…Bytes` apart from the next
 * @param rowTaps taps of a kernel's row, pixelLength numbers apart; rows are rowLength numbers apart
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

/** The same of bytes. */
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
        for (let output = 0; output < outputs; output++) {
          const weight = load<i8>(source + channel * channelBytes + output * outputBytes);
          store<i8>(panel + place(k0 + channel, output), weight);
        }
      }
    }
  }
}

/** Where a byte lies in a panel: see dot() in vector.ts. */

function place(k: i32, output: i32): i32 {
  const step = (k >> 2) * 32;
  if (ASC_FEATURE_RELAXED_SIMD) {
    return step + output * 4 + (k & 3);
  } else {
    return step + (output >> 2) * 16 + ((k >> 1) & 1) * 8 + (output & 3) * 2 + (k & 1);
  }
}

/** Four outputs of four k each, [output][k], in the order of `place()`. */

function ordered(weights: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    return weights;
  } else {
    return i8x16.shuffle(weights, weights, 0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
  }
}

/** Up to 8 outputs of `count` weights each, outputBytes apart, into one panel. */
export function packRowsF32(
  from: usize,
  outputs: i32,
  outputBytes: i32,
  count: i32,
  panel: usize,
): void {
  let k = 0;
  if (outputs === 8) {
    for (; k + 4 <= count; k += 4) {
      const at = from + (k << 2);
      turnFour(at, outputBytes, panel + (k << 5));
      turnFour(at + 4 * outputBytes, outputBytes, panel + (k << 5) + 16);
    }
  }
  for (; k < count; k++) {
    for (let output = 0; output < outputs; output++) {
      store<f32>(panel + (k << 5) + output * 4, load<f32>(from + (k << 2) + output * outputBytes));
    }
  }
}

/** Four numbers of each of four rows → four columns, 32 bytes apart. */

function turnFour(at: usize, rowBytes: i32, to: usize): void {
  const a = v128.load(at), b = v128.load(at + rowBytes);
  const c = v128.load(at + 2 * rowBytes), d = v128.load(at + 3 * rowBytes);
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5), cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  v128.store(to, v128.shuffle<i64>(ab, cd, 0, 2));
  v128.store(to, v128.shuffle<i64>(ab, cd, 1, 3), 32);
  const ef = v128.shuffle<i32>(a, b, 2, 6, 3, 7), gh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i64>(ef, gh, 0, 2), 64);
  v128.store(to, v128.shuffle<i64>(ef, gh, 1, 3), 96);
}

/** The same of bytes. */
export function packRowsI8(
  from: usize,
  outputs: i32,
  outputBytes: i32,
  count: i32,
  panel: usize,
): void {
  let k = 0;
  if (outputs === 8) {
    for (; k + 4 <= count; k += 4) {
      const to = panel + (k << 3);
      for (let output = 0; output < 8; output++) {
        store<i32>(to + output * 4, load<i32>(from + k + output * outputBytes));
      }
      v128.store(to, ordered(v128.load(to)));
      v128.store(to, ordered(v128.load(to, 16)), 16);
    }
  }
  for (; k < count; k++) {
    for (let output = 0; output < outputs; output++) {
      store<i8>(panel + place(k, output), load<i8>(from + k + output * outputBytes));
    }
  }
}

/** `rows` k of all outputs, [k][outputs], into every panel. */
export function packColumnsF32(
  from: usize,
  rows: i32,
  outputs: i32,
  panels: usize,
  panelBytes: i32,
): void {
  for (let k = 0; k < rows; k++, from += outputs << 2) {
    const to = panels + (k << 5);
    let output = 0;
    for (; output + 8 <= outputs; output += 8) {
      const panel = to + (output >> 3) * panelBytes;
      v128.store(panel, v128.load(from + (output << 2)));
      v128.store(panel, v128.load(from + (output << 2), 16), 16);
    }
    for (; output < outputs; output++) {
      const panel = to + (output >> 3) * panelBytes;
      store<f32>(panel + (output & 7) * 4, load<f32>(from + (output << 2)));
    }
  }
}

/** The same of 16-bit numbers, an even number of k: [k / 2][8][2]. */
export function packColumnsF16(
  from: usize,
  rows: i32,
  outputs: i32,
  panels: usize,
  panelBytes: i32,
): void {
  const rowBytes = outputs << 1;
  for (let k = 0; k < rows; k += 2, from += 2 * rowBytes) {
    const to = panels + (k << 4);
    let output = 0;
    for (; output + 8 <= outputs; output += 8) {
      const at = from + (output << 1);
      const panel = to + (output >> 3) * panelBytes;
      const a = v128.load(at), b = v128.load(at + rowBytes);
      v128.store(panel, v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11));
      v128.store(panel, v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15), 16);
    }
    for (; output < outputs; output++) {
      const at = from + (output << 1);
      const place = to + (output >> 3) * panelBytes + (output & 7) * 4;
      store<u16>(place, load<u16>(at));
      store<u16>(place, load<u16>(at + rowBytes), 2);
    }
  }
}

/** The same of bytes: four k of 16 outputs at a time, a cache line of 64 outputs after another. */
export function packColumnsI8(
  from: usize,
  rows: i32,
  outputs: i32,
  panels: usize,
  panelBytes: i32,
): void {
  for (let line = 0; line < outputs; line += 64) {
    const end = min(line + 64, outputs);
    for (let k = 0; k < rows; k += 4) {
      let output = line;
      if (k + 4 <= rows) {
        for (; output + 16 <= end; output += 16) {
          const at = from + k * outputs + output;
          const to = panels + (output >> 3) * panelBytes + (k << 3);
          zipFour(at, outputs, to, to + panelBytes);
        }
      }
      for (; output < end; output++) {
        const panel = panels + (output >> 3) * panelBytes;
        for (let row = k; row < min(k + 4, rows); row++) {
          store<i8>(panel + place(row, output & 7), load<i8>(from + row * outputs + output));
        }
      }
    }
  }
}

/** 16 bytes of each of four rows → [output][k] of 8 outputs, and of 8 more. */

function zipFour(at: usize, rowBytes: i32, first: usize, second: usize): void {
  const a = v128.load(at), b = v128.load(at + rowBytes);
  const c = v128.load(at + 2 * rowBytes), d = v128.load(at + 3 * rowBytes);
  const ab = i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const cd = i8x16.shuffle(c, d, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  v128.store(first, ordered(v128.shuffle<i16>(ab, cd, 0, 8, 1, 9, 2, 10, 3, 11)));
  v128.store(first, ordered(v128.shuffle<i16>(ab, cd, 4, 12, 5, 13, 6, 14, 7, 15)), 16);
  const ef = i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  const gh = i8x16.shuffle(c, d, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  v128.store(second, ordered(v128.shuffle<i16>(ef, gh, 0, 8, 1, 9, 2, 10, 3, 11)));
  v128.store(second, ordered(v128.shuffle<i16>(ef, gh, 4, 12, 5, 13, 6, 14, 7, 15)), 16);
}

/**
 * `rows` k of all outputs, [k][outputs] of 4 bits as ONNX has them, two outputs in a byte, into every
 * panel: see product_i4.ts. The weights of even outputs get 8 more.
 *
 * @param rowBytes half of the outputs
 */
export function packColumnsI4(
  from: usize,
  rows: i32,
  rowBytes: i32,
  panels: usize,
  panelBytes: i32,
): void {
  for (let line = 0; line < rowBytes; line += 64) {
    const end = min(line + 64, rowBytes);
    for (let k = 0; k < rows; k += 4) {
      let byte = line;
      if (k + 4 <= rows) {
        for (; byte + 16 <= end; byte += 16) {
          const to = panels + (byte >> 2) * panelBytes + (k << 2);
          zipFourI4(from + k * rowBytes + byte, rowBytes, to, panelBytes);
        }
      }
      for (; byte < end; byte++) {
        const panel = panels + (byte >> 2) * panelBytes;
        for (let row = k; row < min(k + 4, rows); row++) {
          const weights = load<u8>(from + row * rowBytes + byte) ^ 8;
          store<u8>(panel + placeI4(row, byte & 3), weights);
        }
      }
    }
  }
}

/** Where the byte of two outputs lies in a panel. */

function placeI4(k: i32, pair: i32): i32 {
  const step = (k >> 2) * 16;
  if (ASC_FEATURE_RELAXED_SIMD) {
    return step + pair * 4 + (k & 3);
  } else {
    return step + ((k >> 1) & 1) * 8 + pair * 2 + (k & 1);
  }
}

/** 16 bytes of each of four rows → [byte][k] of four bytes for each of four panels. */

function zipFourI4(at: usize, rowBytes: i32, to: usize, panelBytes: i32): void {
  const eight = i8x16.splat(8);
  const a = v128.xor(v128.load(at), eight), b = v128.xor(v128.load(at + rowBytes), eight);
  const c = v128.xor(v128.load(at + 2 * rowBytes), eight);
  const d = v128.xor(v128.load(at + 3 * rowBytes), eight);
  const ab = i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const cd = i8x16.shuffle(c, d, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  v128.store(to, ordered(v128.shuffle<i16>(ab, cd, 0, 8, 1, 9, 2, 10, 3, 11)));
  v128.store(to + panelBytes, ordered(v128.shuffle<i16>(ab, cd, 4, 12, 5, 13, 6, 14, 7, 15)));
  const ef = i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  const gh = i8x16.shuffle(c, d, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  v128.store(to + 2 * panelBytes, ordered(v128.shuffle<i16>(ef, gh, 0, 8, 1, 9, 2, 10, 3, 11)));
  v128.store(to + 3 * panelBytes, ordered(v128.shuffle<i16>(ef, gh, 4, 12, 5, 13, 6, 14, 7, 15)));
}
