import { type Image, ImageError, type ImageHeader } from "../image.ts";
import { cmykToRgb, lumaToRgb } from "../pixels.ts";
import { hasEnd } from "./jpeg_header.ts";
import { type Decoded, type DecodeTask, withTurboJpeg } from "./turbojpeg.ts";

/** A JPEG decoded at a fraction of its size keeps this many times the pixels a resize asks for… */
const SCALE_MARGIN = 2;

/**
 * …and this many in any case: sizes of a fraction are rounded up, and of few pixels that is a shift.
 * A record of 28 pixels from a fraction of 57 was 12 of 255 off on average (2026-11).
 */
const LEAST_SCALED_SIDE = 256;

const END = new Uint8Array([0xff, 0xd9]);

/**
 * Decodes to RGB by libjpeg-turbo with its defaults, as Pillow does: the accurate inverse DCT and
 * smooth chroma. `minSide` is that of `decodeImage`.
 *
 * @throws {ImageError} `unsupported` where the colours are none of gray, RGB, YCbCr, CMYK and YCCK
 * @throws {Error} the data are corrupt or cut off
 */
export async function decodeJpeg(
  bytes: Uint8Array,
  header: ImageHeader,
  minSide: number | undefined,
): Promise<Image> {
  const eighths = minSide === undefined
    ? 8
    : scaleInEighths(header, Math.max(minSide * SCALE_MARGIN, LEAST_SCALED_SIDE));
  const width = Math.ceil(header.width * eighths / 8);
  const height = Math.ceil(header.height * eighths / 8);
  const { channels, data } = await decodeForgiving({ bytes, header, width, height });
  return { width, height, channels: 3, data: toRgb(data, channels) };
}

/** Smallest DCT scale, in eighths, at which both sides reach `side`; 8 when none does. */
function scaleInEighths(header: ImageHeader, side: number): number {
  const shorter = Math.min(header.width, header.height);
  return [1, 2, 4].find((eighths) => Math.ceil(shorter * eighths / 8) >= side) ?? 8;
}

/**
 * libjpeg warns of what is out of order and goes on; ImageNet has files with a few bytes too many.
 * They are read, as Pillow reads them. A file without its end is read where nothing but the end is
 * missing.
 */
async function decodeForgiving(task: Omit<DecodeTask, "strict">): Promise<Decoded> {
  const decode = (changes: Pick<DecodeTask, "strict"> & Partial<DecodeTask>) =>
    withTurboJpeg((codec) => codec.decode({ ...task, ...changes }));
  try {
    return await decode({ strict: true });
  } catch (error) {
    if (error instanceof ImageError) throw error;
    if (hasEnd(task.bytes)) return await decode({ strict: false });
    const ended = new Uint8Array(task.bytes.length + END.length);
    ended.set(task.bytes);
    ended.set(END, task.bytes.length);
    return await decode({ strict: true, bytes: ended });
  }
}

function toRgb(data: Uint8Array, channels: Decoded["channels"]): Uint8Array {
  if (channels === 3) return data;
  if (channels === 1) return lumaToRgb(data);
  // Files of four colours come from Adobe's programs, which store what is left of the light.
  for (let i = 0; i < data.length; i++) data[i] = 255 - data[i]!;
  return cmykToRgb(data);
}
