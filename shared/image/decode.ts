import { readImageHeader } from "./header.ts";
import {
  DEFAULT_MAX_PIXELS,
  type Image,
  ImageError,
  type ImageFormat,
  type ImageHeader,
} from "./image.ts";
import { orient } from "./orient.ts";

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
  const decode = await DECODERS[header.format]();
  let image: Image;
  try {
    image = await decode(bytes, header, minSide);
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

/**
 * libjpeg-turbo, libwebp, ImageScript's GIF, and three formats that npm's packages read wrong. Each is
 * loaded by the first image that needs it: all together take 16 MB and 15 ms (2026-11).
 */
const DECODERS: Readonly<Record<ImageFormat, () => Promise<Decoder>>> = {
  jpeg: async () => (await import("./jpeg/jpeg.ts")).decodeJpeg,
  png: async () => (await import("./png/png.ts")).decodePng,
  gif: async () => (await import("./gif.ts")).decodeGif,
  bmp: async () => (await import("./bmp/bmp.ts")).decodeBmp,
  webp: async () => (await import("./webp/webp.ts")).decodeWebp,
  tiff: async () => (await import("./tiff/tiff.ts")).decodeTiff,
};

function requirePositive(name: string, value: number): void {
  if (value > 0) return;
  throw new RangeError(`Cannot decode image: ${name} is ${value} (expected a positive number)`);
}
