/** (a * b) / 255 rounded to nearest, for a and b in 0..255. */
export function multiply255(a: number, b: number): number {
  const product = a * b + 128;
  return (product + (product >> 8)) >> 8;
}

/** Luma [n] to RGB [n * 3]. */
export function lumaToRgb(luma: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(luma.length * 3);
  for (let pixel = 0, at = 0; pixel < luma.length; pixel++) {
    const value = luma[pixel]!;
    rgb[at++] = value;
    rgb[at++] = value;
    rgb[at++] = value;
  }
  return rgb;
}

/** RGB [n * 3] to ITU-R 601 luma [n], in the fixed point of Pillow's `convert("L")`. */
export function rgbToLuma(rgb: Uint8Array): Uint8Array {
  const luma = new Uint8Array(rgb.length / 3);
  for (let pixel = 0, at = 0; pixel < luma.length; pixel++, at += 3) {
    luma[pixel] = (rgb[at]! * 19595 + rgb[at + 1]! * 38470 + rgb[at + 2]! * 7471 + 0x8000) >> 16;
  }
  return luma;
}

/** CMYK inks [n * 4] to RGB [n * 3] without a colour profile, as Pillow's `convert("RGB")`. */
export function cmykToRgb(cmyk: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(cmyk.length / 4 * 3);
  for (let from = 0, to = 0; from < cmyk.length; from += 4) {
    const light = 255 - cmyk[from + 3]!;
    rgb[to++] = light - multiply255(cmyk[from]!, light);
    rgb[to++] = light - multiply255(cmyk[from + 1]!, light);
    rgb[to++] = light - multiply255(cmyk[from + 2]!, light);
  }
  return rgb;
}

/**
 * RGBA [n * 4] composited on white, to RGB [n * 3] in the same memory: the result is a view of the
 * first three quarters of `rgba`, which is overwritten. A second buffer would be most of the peak.
 */
export function rgbaOnWhite(rgba: Uint8Array): Uint8Array {
  const rgb = rgba.subarray(0, Math.floor(rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    const clear = 255 - rgba[from + 3]!;
    if (clear === 0) {
      rgb[to++] = rgba[from]!;
      rgb[to++] = rgba[from + 1]!;
      rgb[to++] = rgba[from + 2]!;
    } else {
      const alpha = 255 - clear;
      rgb[to++] = clear + multiply255(rgba[from]!, alpha);
      rgb[to++] = clear + multiply255(rgba[from + 1]!, alpha);
      rgb[to++] = clear + multiply255(rgba[from + 2]!, alpha);
    }
  }
  return rgb;
}

/** An RGBA frame placed on a white canvas of width x height, to RGB; what lies outside is cut. */
export function frameOnWhite(
  frame: { x: number; y: number; width: number; height: number; buffer: Uint8Array },
  width: number,
  height: number,
): Uint8Array {
  const pixels = rgbaOnWhite(frame.buffer);
  if (frame.width === width && frame.height === height) return pixels;
  const canvas = new Uint8Array(width * height * 3).fill(255);
  const columns = Math.min(frame.width, width - frame.x);
  const rows = Math.min(frame.height, height - frame.y);
  for (let y = 0; y < rows; y++) {
    const row = pixels.subarray(y * frame.width * 3, (y * frame.width + columns) * 3);
    canvas.set(row, ((frame.y + y) * width + frame.x) * 3);
  }
  return canvas;
}
