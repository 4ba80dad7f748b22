import { ImageError } from "../image.ts";

/** Ways in which a BMP's pixels are stored. */
export const Compression = {
  none: 0,
  runs8: 1,
  runs4: 2,
  bitFields: 3,
  alphaBitFields: 6,
} as const;

/** Everything about a BMP that decides its pixels. */
export interface BmpHeader {
  readonly width: number;
  readonly height: number;
  /** Rows begin at the top; in most files they begin at the bottom. */
  readonly topDown: boolean;
  /** Bits a pixel. */
  readonly bits: number;
  readonly compression: number;
  /** Red, green, blue and alpha; 0 where there is none. */
  readonly masks: readonly [number, number, number, number];
  /** Where the palette begins, how many bytes a colour has, and how many colours there are. */
  readonly palette: { readonly at: number; readonly entryBytes: 3 | 4; readonly colours: number };
  readonly pixelsAt: number;
}

const FILE_HEADER = 14;
/** OS/2 1.x: 16-bit sizes, three bytes a colour. */
const CORE_HEADER = 12;
const INFO_HEADER = 40;
/** From here on the masks are in the header, alpha's too. */
const V3_HEADER = 56;
const KNOWN_HEADERS = [CORE_HEADER, INFO_HEADER, 52, V3_HEADER, 64, 108, 124];
const DEPTHS = [1, 2, 4, 8, 16, 24, 32];

/**
 * Reads a BMP's headers: Windows from BITMAPINFOHEADER to BITMAPV5HEADER, and OS/2's.
 *
 * @throws {ImageError} `corrupt` for sizes and masks that cannot be, `unsupported` for JPEG or PNG in
 * a BMP and for unknown headers.
 */
export function readBmpFields(bytes: Uint8Array): BmpHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < FILE_HEADER + CORE_HEADER) throw bmpCorrupt("it ends in its header");
  const size = view.getUint32(14, true);
  if (!KNOWN_HEADERS.includes(size)) throw bmpUnsupported(`a header of ${size} bytes`);
  if (bytes.length < FILE_HEADER + size) throw bmpCorrupt("it ends in its header");
  const core = size === CORE_HEADER;
  const width = core ? view.getUint16(18, true) : view.getInt32(18, true);
  const storedHeight = core ? view.getUint16(20, true) : view.getInt32(22, true);
  const bits = view.getUint16(core ? 24 : 28, true);
  const compression = core ? Compression.none : view.getUint32(30, true);
  const height = Math.abs(storedHeight);
  if (width <= 0 || height === 0) throw bmpCorrupt(`a size of ${width} x ${storedHeight}`);
  if (!DEPTHS.includes(bits)) throw bmpCorrupt(`${bits} bits a pixel`);
  requireCompression(compression, bits);
  const masked = compression === Compression.bitFields ||
    compression === Compression.alphaBitFields;
  const masks = masked ? readMasks(view, size, compression) : defaultMasks(bits);
  // The masks of a plain BITMAPINFOHEADER follow it, before the palette.
  const extra = masked && size === INFO_HEADER
    ? compression === Compression.alphaBitFields ? 16 : 12
    : 0;
  const colours = bits > 8 ? 0 : (core ? 0 : view.getUint32(46, true)) || 1 << bits;
  if (colours > 256) throw bmpCorrupt(`a palette of ${colours} colours`);
  const palette = {
    at: FILE_HEADER + size + extra,
    entryBytes: core ? 3 as const : 4 as const,
    colours,
  };
  return {
    width,
    height,
    topDown: storedHeight < 0,
    bits,
    compression,
    masks,
    palette,
    // Some writers forget the palette here.
    pixelsAt: Math.max(view.getUint32(10, true), palette.at + colours * palette.entryBytes),
  };
}

function requireCompression(compression: number, bits: number): void {
  const fits: Record<number, boolean> = {
    [Compression.none]: true,
    [Compression.runs8]: bits === 8,
    [Compression.runs4]: bits === 4,
    [Compression.bitFields]: bits === 16 || bits === 32,
    [Compression.alphaBitFields]: bits === 16 || bits === 32,
  };
  if (fits[compression]) return;
  if (compression in fits) throw bmpCorrupt(`compression ${compression} of ${bits} bits a pixel`);
  throw bmpUnsupported(`compression ${compression}`);
}

function readMasks(view: DataView, size: number, compression: number): BmpHeader["masks"] {
  const withAlpha = size >= V3_HEADER || compression === Compression.alphaBitFields;
  const count = withAlpha ? 4 : 3;
  if (view.byteLength < FILE_HEADER + INFO_HEADER + count * 4) throw bmpCorrupt("no masks");
  const mask = (index: number) => view.getUint32(FILE_HEADER + INFO_HEADER + index * 4, true);
  return [mask(0), mask(1), mask(2), withAlpha ? mask(3) : 0];
}

/** Without masks 16 bits are 5 for each colour, and the fourth byte of 32 bits means nothing. */
function defaultMasks(bits: number): BmpHeader["masks"] {
  return bits === 16 ? [0x7c00, 0x03e0, 0x001f, 0] : [0xff0000, 0xff00, 0xff, 0];
}

export function bmpCorrupt(cause: string): ImageError {
  return new ImageError("corrupt", `Cannot read BMP: ${cause}`);
}

export function bmpUnsupported(what: string): ImageError {
  return new ImageError("unsupported", `Cannot read BMP: ${what} is not supported`);
}
