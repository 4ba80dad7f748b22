import { readBmpHeader } from "./bmp/bmp.ts";
import { readGifHeader } from "./gif_header.ts";
import { ImageError, type ImageFormat, type ImageHeader } from "./image.ts";
import { readJpegHeader } from "./jpeg/jpeg_header.ts";
import { readPngHeader } from "./png/png_header.ts";
import { sniffFormat } from "./sniff.ts";
import { readTiffHeader } from "./tiff/tiff.ts";
import { readWebpHeader } from "./webp/webp_header.ts";

const READERS: Readonly<Record<ImageFormat, (bytes: Uint8Array) => ImageHeader>> = {
  jpeg: readJpegHeader,
  png: readPngHeader,
  gif: readGifHeader,
  bmp: readBmpHeader,
  webp: readWebpHeader,
  tiff: readTiffHeader,
};

const EXPECTED = "JPEG, PNG, GIF, BMP, WebP or TIFF";

/**
 * Reads format, size and orientation from the bytes alone, without allocating for pixels, so that
 * a limit can be applied before a decoder believes the header.
 *
 * @throws {ImageError} `unsupported` for a format that is not decoded, `corrupt` for a header that
 * breaks its format.
 */
export function readImageHeader(bytes: Uint8Array): ImageHeader {
  if (bytes.length === 0) throw new ImageError("corrupt", "Cannot read image: it has no bytes");
  const format = sniffFormat(bytes);
  if (format === null) {
    throw new ImageError(
      "unsupported",
      `Cannot read image: no known image signature (expected ${EXPECTED})`,
    );
  }
  if (!(format in READERS)) {
    throw new ImageError(
      "unsupported",
      `Cannot read image: ${format.toUpperCase()} is not supported (expected ${EXPECTED})`,
    );
  }
  return READERS[format as ImageFormat](bytes);
}
