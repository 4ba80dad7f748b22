import { readExifOrientation } from "../exif.ts";
import { ImageError, type ImageHeader } from "../image.ts";

const RIFF_HEADER = 12;
const CHUNK_HEADER = 8;

/** A still picture of a WebP file, and where it lies on the canvas. */
export interface WebpFrame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** The frame's own chunks (ALPH, VP8 or VP8L); undefined where the file is one still picture. */
  readonly chunks: Uint8Array | undefined;
}

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

/**
 * Reads a WebP's canvas and its EXIF orientation (RFC 9649, section 2.7).
 *
 * @throws {ImageError} `corrupt` when there is no picture or its headers are cut off.
 */
export function readWebpHeader(bytes: Uint8Array): ImageHeader {
  let size: { width: number; height: number } | undefined;
  let orientation = 1;
  for (const { type, data } of chunks(bytes.subarray(RIFF_HEADER))) {
    if (type === "VP8X") size = readExtendedSize(data);
    else if (type === "VP8 " || type === "VP8L") size ??= readBitstreamSize(type, data);
    else if (type === "EXIF") orientation = readExifOrientation(withoutExifPrefix(data));
  }
  if (size === undefined) throw webpCorrupt("it has no picture");
  return { format: "webp", ...size, orientation };
}

/**
 * The picture that is decoded: the only one, or the first of an animation.
 *
 * @throws {ImageError} `corrupt` when its own headers promise more pixels than the canvas has: the
 * decoder would believe them.
 */
export function readFirstFrame(bytes: Uint8Array, canvas: ImageHeader): WebpFrame {
  for (const { type, data } of chunks(bytes.subarray(RIFF_HEADER))) {
    if (type === "VP8 " || type === "VP8L") {
      const { width, height } = requireInside(readBitstreamSize(type, data), canvas);
      return { x: 0, y: 0, width, height, chunks: undefined };
    }
    if (type !== "ANMF") continue;
    if (data.length < 16) throw webpCorrupt("it ends in a frame");
    const inner = data.subarray(16);
    for (const part of chunks(inner)) {
      if (part.type !== "VP8 " && part.type !== "VP8L") continue;
      const { width, height } = requireInside(readBitstreamSize(part.type, part.data), canvas);
      return { x: uint24(data, 0) * 2, y: uint24(data, 3) * 2, width, height, chunks: inner };
    }
  }
  throw webpCorrupt("it has no picture");
}

/** RIFF chunks; one that runs past the end is passed on cut off. */
function* chunks(bytes: Uint8Array): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + CHUNK_HEADER <= bytes.length;) {
    const type = String.fromCharCode(...bytes.subarray(at, at + 4));
    const size = view.getUint32(at + 4, true);
    const start = at + CHUNK_HEADER;
    yield { type, data: bytes.subarray(start, start + size) };
    at = start + size + (size & 1);
  }
}

function readExtendedSize(data: Uint8Array): { width: number; height: number } {
  if (data.length < 10) throw webpCorrupt("it ends in its header");
  return { width: uint24(data, 4) + 1, height: uint24(data, 7) + 1 };
}

/** RFC 6386, section 9.1 (VP8), and RFC 9649, section 3.4 (VP8L). */
function readBitstreamSize(type: string, data: Uint8Array): { width: number; height: number } {
  if (data.length < 10) throw webpCorrupt("it ends in its header");
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (type === "VP8L") {
    const bits = view.getUint32(1, true);
    return { width: (bits & 0x3fff) + 1, height: (bits >>> 14 & 0x3fff) + 1 };
  }
  const size = {
    width: view.getUint16(6, true) & 0x3fff,
    height: view.getUint16(8, true) & 0x3fff,
  };
  if (size.width === 0 || size.height === 0) throw webpCorrupt("a size of 0");
  return size;
}

function requireInside(
  size: { width: number; height: number },
  canvas: ImageHeader,
): { width: number; height: number } {
  if (size.width <= canvas.width && size.height <= canvas.height) return size;
  throw webpCorrupt(
    `a frame of ${size.width} x ${size.height} on a canvas of ${canvas.width} x ${canvas.height}`,
  );
}

/** Some writers put JPEG's `Exif\0\0` before the TIFF structure. */
function withoutExifPrefix(data: Uint8Array): Uint8Array {
  return String.fromCharCode(...data.subarray(0, 4)) === "Exif" ? data.subarray(6) : data;
}

function uint24(bytes: Uint8Array, at: number): number {
  return bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16;
}

export function webpCorrupt(cause: string): ImageError {
  return new ImageError("corrupt", `Cannot read WebP: ${cause}`);
}
