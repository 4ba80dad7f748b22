import { pngCorrupt } from "./chunks.ts";

/** What a sample stands for (PNG, third edition, table 9). */
export const ColourType = { grey: 0, rgb: 2, palette: 3, greyAlpha: 4, rgba: 6 } as const;

/** How pixels lie in the inflated data. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly colourType: number;
  /** Bits of a sample. */
  readonly depth: number;
  /** Bits of a pixel. */
  readonly bits: number;
  readonly passes: readonly Pass[];
  /** Bytes of all passes, one for the filter of each row included. */
  readonly length: number;
}

/** One reduced picture of an interlaced file, or the whole of another. */
export interface Pass {
  readonly width: number;
  readonly height: number;
  /** Where its pixels go: column `x + dx * i` of row `y + dy * j`. */
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
  /** Bytes of a row without its filter. */
  readonly stride: number;
}

/** Channels and allowed depths by colour type. */
const KINDS: Readonly<Record<number, { channels: number; depths: readonly number[] }>> = {
  [ColourType.grey]: { channels: 1, depths: [1, 2, 4, 8, 16] },
  [ColourType.rgb]: { channels: 3, depths: [8, 16] },
  [ColourType.palette]: { channels: 1, depths: [1, 2, 4, 8] },
  [ColourType.greyAlpha]: { channels: 2, depths: [8, 16] },
  [ColourType.rgba]: { channels: 4, depths: [8, 16] },
};

/** Adam7 (PNG, third edition, section 8.2): first column and row, steps of columns and rows. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/**
 * Reads the 13 bytes of IHDR.
 *
 * @throws {ImageError} `corrupt` for a combination that the specification does not have.
 */
export function readLayout(ihdr: Uint8Array): Layout {
  const view = new DataView(ihdr.buffer, ihdr.byteOffset, ihdr.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const depth = view.getUint8(8);
  const colourType = view.getUint8(9);
  const [compression, filter, interlace] = [10, 11, 12].map((at) => view.getUint8(at));
  const kind = KINDS[colourType];
  if (!kind?.depths.includes(depth)) {
    throw pngCorrupt(`colour type ${colourType} with ${depth} bits`);
  }
  if (compression !== 0 || filter !== 0 || interlace! > 1) {
    throw pngCorrupt(`compression ${compression}, filter ${filter}, interlace ${interlace}`);
  }
  const bits = kind.channels * depth;
  const passes = (interlace === 1 ? ADAM7 : [[0, 0, 1, 1] as const])
    .map(([x, y, dx, dy]): Pass => {
      const columns = Math.ceil((width - x) / dx);
      const rows = Math.ceil((height - y) / dy);
      return { width: columns, height: rows, x, y, dx, dy, stride: Math.ceil(columns * bits / 8) };
    })
    .filter((pass) => pass.width > 0 && pass.height > 0);
  const length = passes.reduce((sum, pass) => sum + pass.height * (1 + pass.stride), 0);
  return { width, height, colourType, depth, bits, passes, length };
}
