import { crc32 } from "node:zlib";
import { ImageError } from "../image.ts";

const SIGNATURE_LENGTH = 8;

/** One chunk of a PNG (third edition, section 5.3). */
export interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
  /** Type and data, which the checksum covers. */
  readonly covered: Uint8Array;
  /** Undefined where the file ends before it. */
  readonly checksum: number | undefined;
}

/** Chunks up to IEND; one that runs past the end is passed on cut off. */
export function* chunks(bytes: Uint8Array): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = SIGNATURE_LENGTH;
  while (start + 8 <= bytes.length) {
    const type = String.fromCharCode(...bytes.subarray(start + 4, start + 8));
    const end = start + 8 + view.getUint32(start);
    yield {
      type,
      data: bytes.subarray(start + 8, end),
      covered: bytes.subarray(start + 4, end),
      checksum: end + 4 <= bytes.length ? view.getUint32(end) : undefined,
    };
    if (type === "IEND") return;
    start = end + 4;
  }
}

/** @throws {ImageError} `corrupt` when a chunk that decides pixels is not what was written. */
export function requireIntact({ type, covered, checksum }: Chunk): void {
  if (checksum === undefined) throw pngCorrupt(`the file is cut off in its ${type}`);
  if (checksum !== crc32(covered)) throw pngCorrupt(`the checksum of ${type} is wrong`);
}

export function pngCorrupt(cause: string): ImageError {
  return new ImageError("corrupt", `Cannot read PNG: ${cause}`);
}
