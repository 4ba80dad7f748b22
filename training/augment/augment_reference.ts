/** Tests only: the augmentation on the CPU, each operation rounded to float32. */
import type { PreprocessSpec } from "../../shared/image/preprocess.ts";

export interface Draw {
  /** As of `drawCrops`. */
  readonly crop: number;
  /** Four numbers, as of `drawColors`. */
  readonly color: ArrayLike<number>;
}

/** One record -> [crop, crop, 4]. */
export function augmentReference(
  record: Uint8Array,
  spec: PreprocessSpec,
  draw: Draw,
  meanCrop?: Float32Array,
): Float32Array {
  const { side, crop, channels } = spec;
  const left = draw.crop & 0xfff, top = draw.crop >> 12 & 0xfff, mirrored = draw.crop >> 24 === 1;
  const { fround } = Math;
  return Float32Array.from({ length: crop * crop * 4 }, (_, i) => {
    const c = i % 4, column = Math.floor(i / 4) % crop, row = Math.floor(i / (4 * crop));
    if (c >= channels) return 0;
    const x = left + (mirrored ? crop - 1 - column : column), y = top + row;
    const pixel = record[(y * side + x) * channels + c]!;
    const mean = meanCrop?.[(row * crop + column) * channels + c] ?? fround(spec.mean[c]!);
    const scale = fround(fround(1 / fround(spec.std[c]!)) * draw.color[3]!);
    return fround(fround(fround(pixel - mean) + draw.color[c]!) * scale);
  });
}
