import { multiply255 } from "../pixels.ts";
import { pngCorrupt } from "./chunks.ts";
import { ColourType, type Layout } from "./layout.ts";

/** Writes `count` pixels of an unfiltered row as RGB on white, `gap` bytes from one to the next. */
export type RowReader = (
  row: Uint8Array,
  count: number,
  rgb: Uint8Array,
  at: number,
  gap: number,
) => void;

/**
 * The way from samples to colours: alpha composited on white, 16 bits reduced to their upper eight.
 *
 * @throws {ImageError} `corrupt` when a palette is missing.
 */
export function rowReader(
  layout: Layout,
  palette: Uint8Array | undefined,
  transparency: Uint8Array | undefined,
): RowReader {
  const { colourType, depth } = layout;
  if (colourType === ColourType.palette) {
    if (palette === undefined) throw pngCorrupt("its palette is missing");
    return indexed(depth, paletteOnWhite(palette, transparency));
  }
  if (colourType === ColourType.grey && depth <= 8) {
    return indexed(depth, greysOnWhite(depth, transparency));
  }
  const hasAlpha = colourType === ColourType.greyAlpha || colourType === ColourType.rgba;
  const isGrey = colourType === ColourType.grey || colourType === ColourType.greyAlpha;
  if (hasAlpha) return blended(isGrey ? 1 : 3, depth / 8);
  return opaque(isGrey ? 1 : 3, depth / 8, transparency);
}

/** Samples of up to 8 bits that stand for a colour of a table of 256. */
function indexed(depth: number, table: Uint8Array): RowReader {
  const mask = (1 << depth) - 1;
  return (row, count, rgb, at, gap) => {
    for (let i = 0; i < count; i++, at += gap) {
      const bit = i * depth;
      const index = 3 * ((row[bit >> 3]! >> (8 - depth - (bit & 7))) & mask);
      rgb[at] = table[index]!;
      rgb[at + 1] = table[index + 1]!;
      rgb[at + 2] = table[index + 2]!;
    }
  };
}

/** An index beyond the palette is black, as libpng has it. */
function paletteOnWhite(palette: Uint8Array, alphas: Uint8Array = new Uint8Array()): Uint8Array {
  const table = new Uint8Array(3 * 256);
  for (let i = 0; i < Math.min(table.length, palette.length); i++) {
    const alpha = alphas[Math.floor(i / 3)] ?? 255;
    table[i] = 255 - alpha + multiply255(palette[i]!, alpha);
  }
  return table;
}

function greysOnWhite(depth: number, transparency: Uint8Array | undefined): Uint8Array {
  const most = (1 << depth) - 1;
  const clear = transparency && transparency[1]! & most;
  const table = new Uint8Array(3 * 256);
  for (let grey = 0; grey <= most; grey++) {
    table.fill(grey === clear ? 255 : grey * 255 / most, 3 * grey, 3 * grey + 3);
  }
  return table;
}

/** Colours without alpha; one of them may stand for nothing at all. */
function opaque(
  colours: 1 | 3,
  size: number,
  transparency: Uint8Array | undefined,
): RowReader {
  const step = colours * size;
  const [green, blue] = colours === 1 ? [0, 0] : [size, 2 * size];
  const isClear = transparency && clearColour(colours, size, transparency);
  const asStored = step === 3 && isClear === undefined;
  return (row, count, rgb, at, gap) => {
    if (asStored && gap === 3) return rgb.set(row, at);
    for (let i = 0, from = 0; i < count; i++, at += gap, from += step) {
      if (isClear?.(row, from)) {
        rgb[at] = rgb[at + 1] = rgb[at + 2] = 255;
        continue;
      }
      rgb[at] = row[from]!;
      rgb[at + 1] = row[from + green]!;
      rgb[at + 2] = row[from + blue]!;
    }
  };
}

/** tRNS has 16 bits a sample, whatever the depth (PNG, third edition, section 11.3.1.1). */
function clearColour(colours: number, size: number, transparency: Uint8Array) {
  const wanted = Array.from(
    { length: colours * size },
    (_, i) => transparency[size === 2 ? i : 2 * i + 1],
  );
  return (row: Uint8Array, from: number) => wanted.every((byte, i) => row[from + i] === byte);
}

function blended(colours: 1 | 3, size: number): RowReader {
  const step = (colours + 1) * size;
  const [green, blue] = colours === 1 ? [0, 0] : [size, 2 * size];
  return (row, count, rgb, at, gap) => {
    for (let i = 0, from = 0; i < count; i++, at += gap, from += step) {
      const alpha = row[from + colours * size]!;
      const [r, g, b] = [row[from]!, row[from + green]!, row[from + blue]!];
      const clear = 255 - alpha;
      rgb[at] = clear + multiply255(r, alpha);
      rgb[at + 1] = clear + multiply255(g, alpha);
      rgb[at + 2] = clear + multiply255(b, alpha);
    }
  };
}
