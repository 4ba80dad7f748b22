import { decodeBmp } from "./bmp/bmp.ts";
import { readImageHeader } from "./header.ts";
import { type Image, ImageError, type ImageFormat, type ImageHeader } from "./image.ts";
import { bareJpeg } from "./jpeg_header.ts";
import { orient } from "./orient.ts";
import { cmykToRgb, frameOnWhite, lumaToRgb } from "./pixels.ts";
import { decodePng } from "./png/png.ts";
import { decodeTiff } from "./tiff/tiff.ts";
import { JpegPixels, withGifCodec, withJpegCodec } from "./wasm_codecs.ts";
import { decodeWebp } from "./webp/webp.ts";

/** Default pixel limit: 8192 x 6144, the 50-megapixel sensors of phones. */
export const DEFAULT_MAX_PIXELS = 8192 * 6144;

/** A JPEG decoded at a fraction of its size keeps this many times the pixels a resize asks for… */
const SCALE_MARGIN = 2;

/**
 * …and this many in any case: sizes of a fraction are rounded up, and of few pixels that is a shift.
 * A record of 28 pixels from a fraction of 57 was 12 of 255 off on average (2026-11).
 */
const LEAST_SCALED_SIDE = 256;

export interface DecodeOptions {
  /** Most pixels (stored width * height) that are decoded; DEFAULT_MAX_PIXELS when left out. */
  readonly maxPixels?: number;
  /**
   * The shorter side in pixels that the image will be reduced to. A JPEG is then decoded at the
   * smallest of 1/8, 1/4, 1/2 and 1 that leaves twice this and at least 256; other formats, and all images when it
   * is left out, are decoded whole.
   */
  readonly minSide?: number;
}

/**
 * Decodes JPEG, PNG, GIF, BMP, WebP or TIFF (the first picture of several) to upright RGB: EXIF orientation applied, alpha
 * composited on white, 16-bit samples reduced to 8, colour profiles ignored. Decoding is
 * synchronous work of up to seconds for images near the limit: a service runs it in a Worker.
 *
 * @throws {ImageError} `unsupported`, `corrupt` (truncated files too) or `too-large`. The decoder
 * stays usable after any of them.
 * @throws {RangeError} when an option is not a positive number.
 */
export async function decodeImage(bytes: Uint8Array, options: DecodeOptions = {}): Promise<Image> {
  const { maxPixels = DEFAULT_MAX_PIXELS, minSide } = options;
  requirePositive("maxPixels", maxPixels);
  if (minSide !== undefined) requirePositive("minSide", minSide);

  const header = readImageHeader(bytes);
  const pixels = header.width * header.height;
  if (pixels > maxPixels) {
    throw new ImageError(
      "too-large",
      `Cannot decode image: ${header.width} x ${header.height} pixels are over the limit of ` +
        `${maxPixels}`,
    );
  }
  let image: Image;
  try {
    image = await DECODERS[header.format](bytes, header, minSide);
  } catch (cause) {
    if (cause instanceof ImageError) throw cause;
    throw new ImageError(
      "corrupt",
      `Cannot decode image: the ${header.format.toUpperCase()} data are corrupt or cut off`,
      { cause },
    );
  }
  return orient(image, header.orientation);
}

type Decoder = (
  bytes: Uint8Array,
  header: ImageHeader,
  minSide: number | undefined,
) => Image | Promise<Image>;

/** ImageScript's codecs, libwebp, and three formats that npm's packages read wrong. */
const DECODERS: Readonly<Record<ImageFormat, Decoder>> = {
  jpeg: decodeJpeg,
  png: decodePng,
  gif: decodeGif,
  bmp: decodeBmp,
  webp: decodeWebp,
  tiff: decodeTiff,
};

async function decodeJpeg(
  bytes: Uint8Array,
  header: ImageHeader,
  minSide: number | undefined,
): Promise<Image> {
  const eighths = minSide === undefined
    ? 8
    : scaleInEighths(header, Math.max(minSide * SCALE_MARGIN, LEAST_SCALED_SIDE));
  const width = Math.ceil(header.width * eighths / 8);
  const height = Math.ceil(header.height * eighths / 8);
  const decoded = await withJpegCodec((codec) => codec.decode(bareJpeg(bytes), width, height));
  requireSize(decoded, width, height);
  const data = decoded.format === JpegPixels.rgb
    ? decoded.buffer
    : decoded.format === JpegPixels.luma
    ? lumaToRgb(decoded.buffer)
    : cmykToRgb(decoded.buffer);
  return checked({ width, height, channels: 3, data });
}

/** Smallest DCT scale, in eighths, at which both sides reach `side`; 8 when none does. */
function scaleInEighths(header: ImageHeader, side: number): number {
  const shorter = Math.min(header.width, header.height);
  return [1, 2, 4].find((eighths) => Math.ceil(shorter * eighths / 8) >= side) ?? 8;
}

async function decodeGif(bytes: Uint8Array, header: ImageHeader): Promise<Image> {
  const frame = await withGifCodec((codec) => {
    const decoder = new codec.Decoder(bytes);
    const first = decoder.frame();
    decoder.free();
    return first;
  });
  if (frame === null) throw new ImageError("corrupt", "Cannot decode image: the GIF has no frame");
  const { width, height } = header;
  return checked({ width, height, channels: 3, data: frameOnWhite(frame, width, height) });
}

function requireSize(
  decoded: { width: number; height: number },
  width: number,
  height: number,
): void {
  if (decoded.width === width && decoded.height === height) return;
  throw new ImageError(
    "corrupt",
    `Cannot decode image: decoded ${decoded.width} x ${decoded.height} pixels where the header ` +
      `promises ${width} x ${height}`,
  );
}

function checked(image: Image): Image {
  if (image.data.length === image.width * image.height * image.channels) return image;
  throw new ImageError("corrupt", "Cannot decode image: the decoder returned too few pixels");
}

function requirePositive(name: string, value: number): void {
  if (value > 0) return;
  throw new RangeError(`Cannot decode image: ${name} is ${value} (expected a positive number)`);
}
