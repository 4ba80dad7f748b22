import type { Image, ImageHeader } from "../image.ts";
import { decompress } from "./decompress.ts";
import { Tag, tiffCorrupt, TiffDirectory, tiffUnsupported } from "./directory.ts";
import { paintRow, type Picture, readPicture } from "./picture.ts";

/** 50 megapixels in one strip of RGB are 150 MB; unpacked, it lies beside the picture. */
const MOST_CHUNK_BYTES = 2 ** 28;

/**
 * Reads size and orientation of a TIFF's first picture.
 *
 * @throws {ImageError} `corrupt` when there is no such picture or its size is 0.
 */
export function readTiffHeader(bytes: Uint8Array): ImageHeader {
  const directory = new TiffDirectory(bytes);
  const width = directory.value(Tag.width, 0);
  const height = directory.value(Tag.height, 0);
  if (width === 0 || height === 0) throw tiffCorrupt(`a size of ${width} x ${height}`);
  const orientation = directory.value(Tag.orientation, 1);
  return {
    format: "tiff",
    width,
    height,
    orientation: orientation >= 1 && orientation <= 8 ? orientation : 1,
  };
}

/**
 * Decodes a TIFF's first picture to RGB on white: strips or tiles, whole or LZW, deflate or
 * PackBits; 1 to 8 and 16 bits of grey, palettes, RGB and CMYK, with alpha where it is declared.
 *
 * npm's `utif2` reads more (fax, camera files), but believes every length in the file and leaves
 * what is cut off black; npm's `tiff` reads neither PackBits nor turned pictures (both 2026-11).
 *
 * @throws {ImageError} `corrupt`, or `unsupported` for the other varieties of TIFF.
 */
export function decodeTiff(bytes: Uint8Array, { width, height }: ImageHeader): Image {
  const directory = new TiffDirectory(bytes);
  const picture = readPicture(directory, width);
  const data = new Uint8Array(width * height * 3);
  for (const chunk of chunks(directory, width, height)) {
    const rowBytes = Math.ceil(chunk.width * picture.bits * picture.samples / 8);
    if (rowBytes * chunk.height > MOST_CHUNK_BYTES) throw tiffUnsupported("a strip of that size");
    const packed = bytes.subarray(chunk.offset, chunk.offset + chunk.byteCount);
    const rows = decompress(packed, picture.compression, rowBytes * chunk.height);
    const columns = Math.min(chunk.width, width - chunk.x);
    for (let y = 0; y < Math.min(chunk.height, height - chunk.y); y++) {
      const row = rows.subarray(y * rowBytes, (y + 1) * rowBytes);
      undoPredictor(row, picture);
      paintRow(picture, row, columns, data, ((chunk.y + y) * width + chunk.x) * 3);
    }
  }
  return { width, height, channels: 3, data };
}

interface Chunk {
  readonly offset: number;
  readonly byteCount: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Strips (TIFF 6.0, section 3) or tiles (section 15), row by row. */
function* chunks(directory: TiffDirectory, width: number, height: number): Generator<Chunk> {
  const tiled = directory.count(Tag.tileOffsets) > 0;
  const chunkWidth = tiled ? directory.value(Tag.tileWidth, 0) : width;
  const chunkHeight = tiled
    ? directory.value(Tag.tileLength, 0)
    : Math.min(directory.value(Tag.rowsPerStrip, height), height);
  // Tiles are multiples of 16, and no wider than the picture rounded up to one.
  const tooLarge = chunkWidth > width + 4096 || chunkHeight > height + 4096;
  if (chunkWidth === 0 || chunkHeight === 0 || tooLarge || (tiled && chunkWidth % 16 !== 0)) {
    throw tiffCorrupt(`tiles of ${chunkWidth} x ${chunkHeight}`);
  }
  const [offsets, byteCounts] = tiled
    ? [Tag.tileOffsets, Tag.tileByteCounts]
    : [Tag.stripOffsets, Tag.stripByteCounts];
  if (directory.count(offsets) === 0) throw tiffCorrupt("it has no pixels");
  let index = 0;
  for (let y = 0; y < height; y += chunkHeight) {
    for (let x = 0; x < width; x += chunkWidth, index++) {
      yield {
        offset: directory.value(offsets, 0, index),
        // Old files leave the count out; decompression stops by itself.
        byteCount: directory.value(byteCounts, 2 ** 32, index),
        x,
        y,
        width: chunkWidth,
        // The last strip is as short as what is left; the last tile is whole.
        height: tiled ? chunkHeight : Math.min(chunkHeight, height - y),
      };
    }
  }
}

/** Horizontal differencing (TIFF 6.0, section 14), in place. */
function undoPredictor(row: Uint8Array, picture: Picture): void {
  const { predictor, bits, samples, littleEndian } = picture;
  if (predictor === 1) return;
  if (predictor !== 2 || bits < 8) throw tiffUnsupported(`predictor ${predictor} of ${bits} bits`);
  if (bits === 8) {
    for (let at = samples; at < row.length; at++) row[at] = row[at]! + row[at - samples]!;
    return;
  }
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  for (let at = samples * 2; at + 1 < row.length; at += 2) {
    const sum = view.getUint16(at, littleEndian) + view.getUint16(at - samples * 2, littleEndian);
    view.setUint16(at, sum & 0xffff, littleEndian);
  }
}
