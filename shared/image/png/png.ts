import { inflateSync } from "node:zlib";
import type { Image, ImageHeader } from "../image.ts";
import { type Chunk, chunks, pngCorrupt, requireIntact } from "./chunks.ts";
import { type Layout, readLayout } from "./layout.ts";
import { rowReader } from "./samples.ts";
import { unfilterRow } from "./unfilter.ts";

/**
 * Decodes a PNG to RGB on white. Our own, because no package of npm does all of this (2026-11):
 * ImageScript refuses valid files with stored deflate blocks, fast-png and UPNG misread interlaced
 * rows of less than a byte a pixel and inflate whatever a file says.
 *
 * The caller has checked the size; nothing larger than its pixels is inflated, and chunks that decide
 * no pixel are not read.
 *
 * @throws {ImageError} `corrupt`
 */
export function decodePng(bytes: Uint8Array, { width, height }: ImageHeader): Image {
  const parts = readParts(bytes);
  const { layout } = parts;
  const pixels = inflate(parts.data, layout.length);
  const read = rowReader(layout, parts.palette, parts.transparency);
  unfilter(pixels, layout);
  // RGB is never longer than what it is read from where a pixel has 3 bytes and the order is kept.
  const inPlace = layout.bits >= 24 && layout.passes.length === 1;
  const rgb = inPlace ? pixels : new Uint8Array(width * height * 3);
  let start = 0;
  for (const { width: columns, height: rows, x, y, dx, dy, stride } of layout.passes) {
    for (let row = 0; row < rows; row++, start += 1 + stride) {
      const at = 3 * ((y + row * dy) * width + x);
      read(pixels.subarray(start + 1, start + 1 + stride), columns, rgb, at, 3 * dx);
    }
  }
  return { width, height, channels: 3, data: rgb.subarray(0, width * height * 3) };
}

function readParts(bytes: Uint8Array) {
  let layout: Layout | undefined;
  const found: Record<string, Chunk[]> = { IDAT: [], PLTE: [], tRNS: [] };
  for (const chunk of chunks(bytes)) {
    if (chunk.type === "IHDR" && layout === undefined) {
      requireIntact(chunk);
      layout = readLayout(chunk.data);
    } else if (found[chunk.type]) {
      requireIntact(chunk);
      found[chunk.type]!.push(chunk);
    }
  }
  if (layout === undefined) throw pngCorrupt("it does not begin with IHDR");
  return {
    layout,
    data: joined(found["IDAT"]!.map(({ data }) => data)),
    palette: found["PLTE"]![0]?.data,
    transparency: found["tRNS"]![0]?.data,
  };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Exactly `length` bytes. One chunk for all of them: several would be joined by a second copy. */
function inflate(packed: Uint8Array, length: number): Uint8Array {
  try {
    const bytes = inflateSync(packed, { maxOutputLength: length, chunkSize: length + 64 });
    if (bytes.length === length) return new Uint8Array(bytes.buffer, bytes.byteOffset, length);
  } catch {
    // Too long or damaged: the same to whoever sent it.
  }
  throw pngCorrupt("its deflated pixels are damaged");
}

function unfilter(pixels: Uint8Array, { passes, bits }: Layout): void {
  const step = Math.max(1, bits >> 3);
  let start = 0;
  for (const { height, stride } of passes) {
    let above: Uint8Array = new Uint8Array(stride);
    for (let y = 0; y < height; y++, start += 1 + stride) {
      const row = pixels.subarray(start + 1, start + 1 + stride);
      unfilterRow(pixels[start]!, row, above, step);
      above = row;
    }
  }
}
