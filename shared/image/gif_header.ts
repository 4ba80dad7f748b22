import { ImageError, type ImageHeader } from "./image.ts";

const EXTENSION = 0x21;
const IMAGE_DESCRIPTOR = 0x2c;

/**
 * Reads the size of a GIF's first picture: the logical screen, extended where the first frame
 * reaches beyond it, so that a small screen cannot hide a huge frame (GIF89a, sections 18 and 20).
 *
 * @throws {ImageError} `corrupt` when the file ends before its first frame or the size is 0.
 */
export function readGifHeader(bytes: Uint8Array): ImageHeader {
  if (bytes.length < 13) throw corrupt("it ends in its header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frame = findFirstFrame(bytes);
  if (frame + 10 > bytes.length) throw corrupt("it ends before its first frame");
  const frameWidth = view.getUint16(frame + 5, true);
  const frameHeight = view.getUint16(frame + 7, true);
  if (frameWidth === 0 || frameHeight === 0) throw corrupt("the first frame is empty");
  return {
    format: "gif",
    width: Math.max(view.getUint16(6, true), view.getUint16(frame + 1, true) + frameWidth),
    height: Math.max(view.getUint16(8, true), view.getUint16(frame + 3, true) + frameHeight),
    orientation: 1,
  };
}

/** Offset of the first image descriptor. */
function findFirstFrame(bytes: Uint8Array): number {
  const packed = bytes[10]!;
  let at = 13 + (packed & 0x80 ? 3 * (2 << (packed & 7)) : 0);
  while (bytes[at] === EXTENSION) {
    at += 2;
    let block: number | undefined;
    while ((block = bytes[at]) !== undefined && block > 0) at += 1 + block;
    at += 1;
  }
  if (bytes[at] !== IMAGE_DESCRIPTOR) throw corrupt("it has no frame");
  return at;
}

function corrupt(cause: string): ImageError {
  return new ImageError("corrupt", `Cannot read GIF: ${cause}`);
}
