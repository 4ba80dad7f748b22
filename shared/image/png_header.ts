import { readExifOrientation } from "./exif.ts";
import { ImageError, type ImageHeader } from "./image.ts";

const SIGNATURE_LENGTH = 8;

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

/**
 * Reads a PNG's IHDR and the orientation of its eXIf chunk (PNG specification, third edition).
 *
 * @throws {ImageError} `corrupt` when IHDR is missing, short or holds a size of 0.
 */
export function readPngHeader(bytes: Uint8Array): ImageHeader {
  let size: { width: number; height: number } | undefined;
  let orientation = 1;
  for (const { type, data } of chunks(bytes)) {
    if (size === undefined) {
      if (type !== "IHDR" || data.length !== 13) throw corrupt("it does not begin with IHDR");
      const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
      size = { width: view.getUint32(0), height: view.getUint32(4) };
    } else if (type === "eXIf") {
      orientation = readExifOrientation(data);
    }
  }
  if (size === undefined) throw corrupt("it does not begin with IHDR");
  const { width, height } = size;
  if (width === 0 || height === 0 || width > 0x7fffffff || height > 0x7fffffff) {
    throw corrupt(`a size of ${width} x ${height}`);
  }
  return { format: "png", width, height, orientation };
}

/** Chunks up to IEND; one that runs past the end is passed on cut off. */
function* chunks(bytes: Uint8Array): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = SIGNATURE_LENGTH;
  while (start + 8 <= bytes.length) {
    const type = String.fromCharCode(...bytes.subarray(start + 4, start + 8));
    const end = start + 8 + view.getUint32(start);
    yield { type, data: bytes.subarray(start + 8, end) };
    if (type === "IEND") return;
    start = end + 4;
  }
}

function corrupt(cause: string): ImageError {
  return new ImageError("corrupt", `Cannot read PNG: ${cause}`);
}
