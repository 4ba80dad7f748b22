import { readExifOrientation } from "../exif.ts";
import type { ImageHeader } from "../image.ts";
import { type Chunk, chunks, pngCorrupt } from "./chunks.ts";

/**
 * Reads a PNG's IHDR and the orientation of its eXIf chunk (PNG specification, third edition).
 *
 * @throws {ImageError} `corrupt` when IHDR is missing, short or holds a size of 0.
 */
export function readPngHeader(bytes: Uint8Array): ImageHeader {
  let size: { width: number; height: number } | undefined;
  let orientation = 1;
  for (const chunk of chunks(bytes)) {
    if (size === undefined) size = sizeOf(chunk);
    else if (chunk.type === "eXIf") orientation = readExifOrientation(chunk.data);
  }
  if (size === undefined) throw pngCorrupt("it does not begin with IHDR");
  const { width, height } = size;
  if (width === 0 || height === 0 || width > 0x7fffffff || height > 0x7fffffff) {
    throw pngCorrupt(`a size of ${width} x ${height}`);
  }
  return { format: "png", width, height, orientation };
}

function sizeOf({ type, data }: Chunk): { width: number; height: number } {
  if (type !== "IHDR" || data.length !== 13) throw pngCorrupt("it does not begin with IHDR");
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return { width: view.getUint32(0), height: view.getUint32(4) };
}
