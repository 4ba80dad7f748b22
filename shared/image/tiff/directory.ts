import { ImageError } from "../image.ts";

/** Tags of TIFF 6.0 that decide a picture's pixels. */
export const Tag = {
  width: 256,
  height: 257,
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  stripOffsets: 273,
  orientation: 274,
  samplesPerPixel: 277,
  rowsPerStrip: 278,
  stripByteCounts: 279,
  planarConfiguration: 284,
  predictor: 317,
  colorMap: 320,
  tileWidth: 322,
  tileLength: 323,
  tileOffsets: 324,
  tileByteCounts: 325,
  extraSamples: 338,
  sampleFormat: 339,
} as const;

/** Bytes of the types that hold unsigned whole numbers: BYTE, SHORT, LONG. */
const SIZES: Readonly<Record<number, 1 | 2 | 4>> = { 1: 1, 3: 2, 4: 4 };

interface Entry {
  readonly at: number;
  readonly count: number;
  readonly size: 1 | 2 | 4;
}

/**
 * The first directory of a TIFF file (TIFF 6.0, section 2): one picture's tags. Values are read
 * when they are asked for, so that a forged count allocates nothing; directories that follow are
 * never looked at, so that a chain of them cannot be a circle.
 */
export class TiffDirectory {
  readonly littleEndian: boolean;
  readonly #view: DataView;
  readonly #entries = new Map<number, Entry>();

  /** @throws {ImageError} `corrupt` when the directory or a value leaves the file. */
  constructor(bytes: Uint8Array) {
    this.littleEndian = bytes[0] === 0x49;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const start = this.#read(4, 4);
    const count = this.#read(start, 2);
    for (let index = 0; index < count; index++) {
      const at = start + 2 + index * 12;
      const size = SIZES[this.#read(at + 2, 2)];
      if (size === undefined) continue;
      const values = this.#read(at + 4, 4);
      const inline = values * size <= 4;
      this.#entries.set(this.#read(at, 2), {
        at: inline ? at + 8 : this.#read(at + 8, 4),
        count: values,
        size,
      });
    }
  }

  /** How many values the tag has; 0 when it is absent. */
  count(tag: number): number {
    return this.#entries.get(tag)?.count ?? 0;
  }

  /** The tag's value at `index`; `absent` when there is no such tag. */
  value(tag: number, absent: number, index = 0): number {
    const entry = this.#entries.get(tag);
    if (entry === undefined) return absent;
    if (index >= entry.count) throw tiffCorrupt(`tag ${tag} has ${entry.count} values`);
    return this.#read(entry.at + index * entry.size, entry.size);
  }

  #read(at: number, size: 1 | 2 | 4): number {
    if (at + size > this.#view.byteLength) throw tiffCorrupt("it ends in its directory");
    if (size === 1) return this.#view.getUint8(at);
    if (size === 2) return this.#view.getUint16(at, this.littleEndian);
    return this.#view.getUint32(at, this.littleEndian);
  }
}

export function tiffCorrupt(cause: string): ImageError {
  return new ImageError("corrupt", `Cannot read TIFF: ${cause}`);
}

export function tiffUnsupported(what: string): ImageError {
  return new ImageError("unsupported", `Cannot read TIFF: ${what} is not supported`);
}
