import type { Image, ImageHeader } from "../image.ts";
import { frameOnWhite } from "../pixels.ts";
import { withWebpCodec } from "./webp_codec.ts";
import { readFirstFrame, webpCorrupt, type WebpFrame } from "./webp_header.ts";

/**
 * Decodes a WebP, or the first frame of an animated one, to RGB on white with libwebp
 * (`@jsquash/webp`, its WebAssembly alone).
 *
 * @throws {ImageError} `corrupt` when libwebp refuses it.
 */
export async function decodeWebp(bytes: Uint8Array, header: ImageHeader): Promise<Image> {
  const { width, height } = header;
  const frame = readFirstFrame(bytes, header);
  const file = frame.chunks === undefined ? bytes : stillFile(frame, frame.chunks);
  const decoded = await withWebpCodec((codec) => codec.decode(file));
  // null for what is damaged, undefined for an animation.
  if (!decoded) throw webpCorrupt("its pixels are damaged or cut off");
  if (decoded.width !== frame.width || decoded.height !== frame.height) {
    throw webpCorrupt(`${decoded.width} x ${decoded.height} pixels were decoded`);
  }
  const buffer = new Uint8Array(decoded.data.buffer, decoded.data.byteOffset, decoded.data.length);
  const data = frameOnWhite({ ...frame, buffer }, width, height);
  return { width, height, channels: 3, data };
}

/** A file that holds one frame's chunks: libwebp's still decoder takes no animation. */
function stillFile({ width, height }: WebpFrame, chunks: Uint8Array): Uint8Array {
  const file = new Uint8Array(30 + chunks.length);
  const view = new DataView(file.buffer);
  const ascii = (text: string, at: number) => file.set(new TextEncoder().encode(text), at);
  ascii("RIFF", 0);
  view.setUint32(4, file.length - 8, true);
  ascii("WEBPVP8X", 8);
  view.setUint32(16, 10, true);
  // Flag of alpha (RFC 9649, section 2.7.1); it does no harm where there is none.
  file[20] = 0x10;
  view.setUint32(24, width - 1, true);
  // 24 bits each: the second size overwrites the first one's empty high byte.
  view.setUint16(27, (height - 1) & 0xffff, true);
  file[29] = (height - 1) >> 16;
  file.set(chunks, 30);
  return file;
}
