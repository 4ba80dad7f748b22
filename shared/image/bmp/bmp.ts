import type { Image, ImageHeader } from "../image.ts";
import { multiply255 } from "../pixels.ts";
import { bmpCorrupt, type BmpHeader, Compression, readBmpFields } from "./bmp_header.ts";
import { unpackRuns } from "./run_length.ts";

/** Reads a BMP's size; it has no orientation. */
export function readBmpHeader(bytes: Uint8Array): ImageHeader {
  const { width, height } = readBmpFields(bytes);
  return { format: "bmp", width, height, orientation: 1 };
}

/**
 * Decodes a BMP to RGB on white: palettes of 1 to 8 bits, run lengths, masks of any width, alpha
 * where the header declares it.
 *
 * npm's `bmp-ts` swaps the colours of palettes, and `fast-bmp` reads neither palettes of 4 bits nor
 * 16 bits nor run lengths (both 2026-11).
 *
 * @throws {ImageError} `corrupt` when pixels or palette are cut off.
 */
export function decodeBmp(bytes: Uint8Array): Image {
  const header = readBmpFields(bytes);
  const { width, height, bits, compression, topDown } = header;
  const runs = compression === Compression.runs8 || compression === Compression.runs4;
  const rowBytes = runs ? width : Math.ceil(width * bits / 32) * 4;
  const stored = runs
    ? unpackRuns(bytes.subarray(header.pixelsAt), width, height, bits === 4)
    : bytes.subarray(header.pixelsAt, header.pixelsAt + rowBytes * height);
  // The last row's padding is missing from some files, and is not needed.
  if (stored.length < rowBytes * (height - 1) + Math.ceil(width * bits / 8)) {
    throw bmpCorrupt("its pixels are cut off");
  }
  const data = new Uint8Array(width * height * 3);
  const paint = bits > 8
    ? maskedPainter(header, stored)
    : palettePainter(stored, readPalette(bytes, header), runs ? 8 : bits);
  for (let y = 0; y < height; y++) {
    paint(y * rowBytes, width, data, (topDown ? y : height - 1 - y) * width * 3);
  }
  return { width, height, channels: 3, data };
}

/** Paints the row of stored pixels at `from` into `rgb` at `to`. */
type Painter = (from: number, width: number, rgb: Uint8Array, to: number) => void;

/** [colours, 3] as red, green, blue; black beyond the colours that the file has. */
function readPalette(bytes: Uint8Array, { palette }: BmpHeader): Uint8Array {
  const { at, entryBytes, colours } = palette;
  if (at + colours * entryBytes > bytes.length) throw bmpCorrupt("its palette is cut off");
  const result = new Uint8Array(256 * 3);
  for (let colour = 0; colour < colours; colour++) {
    for (let c = 0; c < 3; c++) result[colour * 3 + c] = bytes[at + colour * entryBytes + 2 - c]!;
  }
  return result;
}

function palettePainter(stored: Uint8Array, palette: Uint8Array, bits: number): Painter {
  const most = (1 << bits) - 1;
  return (from, width, rgb, to) => {
    for (let x = 0; x < width; x++, to += 3) {
      const bit = x * bits;
      const index = stored[from + (bit >> 3)]! >> (8 - bits - (bit & 7)) & most;
      for (let c = 0; c < 3; c++) rgb[to + c] = palette[index * 3 + c]!;
    }
  };
}

function maskedPainter({ bits, masks }: BmpHeader, stored: Uint8Array): Painter {
  const pixelBytes = bits / 8;
  const channels = masks.map(channelOf);
  const [red, green, blue, alpha] = channels as [Channel, Channel, Channel, Channel];
  return (from, width, rgb, to) => {
    for (let x = 0; x < width; x++, from += pixelBytes, to += 3) {
      let pixel = stored[from]! | stored[from + 1]! << 8;
      if (pixelBytes > 2) pixel |= stored[from + 2]! << 16;
      if (pixelBytes > 3) pixel |= stored[from + 3]! << 24;
      rgb[to] = valueOf(pixel, red);
      rgb[to + 1] = valueOf(pixel, green);
      rgb[to + 2] = valueOf(pixel, blue);
      if (alpha.most === 0) continue;
      const opacity = valueOf(pixel, alpha);
      for (let c = 0; c < 3; c++) rgb[to + c] = 255 - opacity + multiply255(rgb[to + c]!, opacity);
    }
  };
}

interface Channel {
  readonly shift: number;
  /** The largest value; 0 for a mask of nothing. */
  readonly most: number;
}

function channelOf(mask: number): Channel {
  if (mask === 0) return { shift: 0, most: 0 };
  const shift = 31 - Math.clz32(mask & -mask);
  return { shift, most: mask >>> shift };
}

function valueOf(pixel: number, { shift, most }: Channel): number {
  if (most === 0) return 0;
  const value = (pixel >>> shift & most) >>> 0;
  return most === 255 ? value : Math.trunc(value * 255 / most);
}
