/** Which pixels decided, as pictures. All pictures here are [height, width, 3] bytes. */

/** Anchors of matplotlib's "inferno", evenly spaced from 0 to 1. */
const INFERNO = [
  [0, 0, 4],
  [40, 11, 84],
  [101, 21, 110],
  [159, 42, 99],
  [212, 72, 66],
  [245, 125, 21],
  [250, 193, 39],
  [252, 255, 164],
] as const;
/** One pixel in a hundred may be brighter than the scale's end: a single one would darken the rest. */
const BRIGHTEST = 0.99;

/**
 * How much each pixel's colour matters: the largest |gradient| over the channels (Simonyan et al.,
 * section 3.1), scaled to 0 to 1.
 *
 * @param gradient [channels, side, side]
 */
export function saliencyOf(gradient: Float32Array, side: number): Float32Array<ArrayBuffer> {
  const pixels = side * side;
  const saliency = new Float32Array(pixels);
  gradient.forEach((value, i) => {
    saliency[i % pixels] = Math.max(saliency[i % pixels]!, Math.abs(value));
  });
  const brightest = saliency.toSorted()[Math.floor(BRIGHTEST * (pixels - 1))]!;
  if (brightest === 0) return saliency;
  return saliency.map((value) => Math.min(1, value / brightest));
}

/** Values from 0 to 1 in colours from black over red to yellow. */
export function heatColors(values: Float32Array): Uint8Array<ArrayBuffer> {
  const picture = new Uint8Array(values.length * 3);
  values.forEach((value, pixel) => {
    const at = value * (INFERNO.length - 1);
    const index = Math.min(INFERNO.length - 2, Math.floor(at));
    for (let c = 0; c < 3; c++) {
      const [low, high] = [INFERNO[index]![c]!, INFERNO[index + 1]![c]!];
      picture[pixel * 3 + c] = Math.round(low + (high - low) * (at - index));
    }
  });
  return picture;
}

/** The picture in grey, dark where no pixel mattered. */
export function highlight(picture: Uint8Array, values: Float32Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(picture, (byte, i) => {
    const weight = 0.15 + 0.85 * Math.sqrt(values[Math.floor(i / 3)]!);
    return Math.round(byte * weight);
  });
}

/** Square pictures in one row with a gap of white, each pixel drawn `scale` times as large. */
export function sideBySide(
  pictures: readonly Uint8Array[],
  { side, scale, gap }: { readonly side: number; readonly scale: number; readonly gap: number },
): { readonly data: Uint8Array; readonly width: number; readonly height: number } {
  const tile = side * scale;
  const width = pictures.length * (tile + gap) - gap;
  const data = new Uint8Array(width * tile * 3).fill(255);
  pictures.forEach((picture, i) => {
    for (let y = 0; y < tile; y++) {
      for (let x = 0; x < tile; x++) {
        const from = (Math.floor(y / scale) * side + Math.floor(x / scale)) * 3;
        data.set(picture.subarray(from, from + 3), (y * width + i * (tile + gap) + x) * 3);
      }
    }
  });
  return { data, width, height: tile };
}
