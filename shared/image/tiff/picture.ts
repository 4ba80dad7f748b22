import { multiply255 } from "../pixels.ts";
import { Tag, tiffCorrupt, type TiffDirectory, tiffUnsupported } from "./directory.ts";

const WHITE_IS_ZERO = 0;
const BLACK_IS_ZERO = 1;
const RGB = 2;
const PALETTE = 3;
const CMYK = 5;

/** Samples that make the colour; what a pixel has beyond them is alpha or of no meaning. */
const COLOUR_SAMPLES: Readonly<Record<number, number>> = {
  [WHITE_IS_ZERO]: 1,
  [BLACK_IS_ZERO]: 1,
  [RGB]: 3,
  [PALETTE]: 1,
  [CMYK]: 4,
};

/** How the samples of a picture become colours. */
export interface Picture {
  readonly photometric: number;
  readonly bits: number;
  readonly samples: number;
  readonly compression: number;
  readonly predictor: number;
  readonly littleEndian: boolean;
  /** TIFF 6.0, section 18: multiplied into the colours or not. */
  readonly alpha: "none" | "associated" | "unassociated";
  /** Red of every index, then green, then blue; empty without a palette. */
  readonly palette: Uint8Array;
}

/**
 * @throws {ImageError} `unsupported` for separate planes, samples that are signed, real or of unequal
 * size, and colour spaces other than grey, RGB, palette and CMYK.
 */
export function readPicture(directory: TiffDirectory, width: number): Picture {
  const samples = directory.value(Tag.samplesPerPixel, 1);
  const bits = directory.value(Tag.bitsPerSample, 1);
  const photometric = directory.value(Tag.photometric, bits === 1 ? WHITE_IS_ZERO : RGB);
  const colour = COLOUR_SAMPLES[photometric];
  if (colour === undefined) throw tiffUnsupported(`photometric interpretation ${photometric}`);
  if (samples < colour || samples > 8) throw tiffCorrupt(`${samples} samples a pixel`);
  for (let index = 1; index < directory.count(Tag.bitsPerSample); index++) {
    if (directory.value(Tag.bitsPerSample, bits, index) !== bits) {
      throw tiffUnsupported("unequal samples");
    }
  }
  const small = samples === 1 && photometric !== CMYK;
  const known = bits === 8 || (bits === 16 && photometric !== PALETTE) ||
    (small && [1, 2, 4].includes(bits));
  if (!known) throw tiffUnsupported(`${samples} samples of ${bits} bits`);
  if (directory.value(Tag.sampleFormat, 1) !== 1) throw tiffUnsupported("a signed or real sample");
  if (samples > 1 && directory.value(Tag.planarConfiguration, 1) !== 1) {
    throw tiffUnsupported("a plane for each channel");
  }
  if (directory.value(Tag.fillOrder, 1) !== 1) throw tiffUnsupported("fill order 2");
  if (width * samples * bits > 2 ** 31) throw tiffCorrupt("its rows are too long");
  const extra = samples > colour ? directory.value(Tag.extraSamples, 0) : 0;
  return {
    photometric,
    bits,
    samples,
    compression: directory.value(Tag.compression, 1),
    predictor: directory.value(Tag.predictor, 1),
    littleEndian: directory.littleEndian,
    alpha: extra === 1 ? "associated" : extra === 2 ? "unassociated" : "none",
    palette: photometric === PALETTE ? readPalette(directory, bits) : new Uint8Array(),
  };
}

function readPalette(directory: TiffDirectory, bits: number): Uint8Array {
  const colours = 3 << bits;
  if (directory.count(Tag.colorMap) < colours) throw tiffCorrupt("its palette is too short");
  return Uint8Array.from({ length: colours }, (_, at) => directory.value(Tag.colorMap, 0, at) >> 8);
}

/** Turns `columns` pixels of a packed row into RGB on white at `target` of `rgb`. */
export function paintRow(
  picture: Picture,
  row: Uint8Array,
  columns: number,
  rgb: Uint8Array,
  target: number,
): void {
  const values = toBytes(picture, row, columns * picture.samples);
  paintColours(picture, values, columns, rgb, target);
  if (picture.alpha !== "none") putOnWhite(picture, values, columns, rgb, target);
}

function paintColours(
  { photometric, samples, palette }: Picture,
  values: Uint8Array,
  columns: number,
  rgb: Uint8Array,
  target: number,
): void {
  const colours = palette.length / 3;
  const end = columns * samples;
  for (let at = 0, to = target; at < end; at += samples, to += 3) {
    const first = values[at]!;
    if (photometric === RGB) {
      rgb[to] = first;
      rgb[to + 1] = values[at + 1]!;
      rgb[to + 2] = values[at + 2]!;
    } else if (photometric === CMYK) {
      const light = 255 - values[at + 3]!;
      for (let c = 0; c < 3; c++) rgb[to + c] = light - multiply255(values[at + c]!, light);
    } else if (photometric === PALETTE) {
      for (let c = 0; c < 3; c++) rgb[to + c] = palette[c * colours + first]!;
    } else {
      const luma = photometric === WHITE_IS_ZERO ? 255 - first : first;
      rgb[to] = luma;
      rgb[to + 1] = luma;
      rgb[to + 2] = luma;
    }
  }
}

function putOnWhite(
  { photometric, samples, alpha }: Picture,
  values: Uint8Array,
  columns: number,
  rgb: Uint8Array,
  target: number,
): void {
  const place = COLOUR_SAMPLES[photometric]!;
  const end = target + columns * 3;
  for (let at = place, to = target; to < end; at += samples, to += 3) {
    const opacity = values[at]!;
    for (let c = 0; c < 3; c++) {
      const value = rgb[to + c]!;
      const shown = alpha === "associated" ? value : multiply255(value, opacity);
      rgb[to + c] = Math.min(255, shown + 255 - opacity);
    }
  }
}

/** One byte a sample: small samples of grey are spread to 0…255, indices stay what they are. */
function toBytes(picture: Picture, row: Uint8Array, count: number): Uint8Array {
  const { bits, littleEndian, photometric } = picture;
  if (bits === 8) return row;
  const result = new Uint8Array(count);
  if (bits === 16) {
    // The high byte of each.
    for (let at = 0, from = littleEndian ? 1 : 0; at < count; at++, from += 2) {
      result[at] = row[from]!;
    }
    return result;
  }
  const most = (1 << bits) - 1;
  const scale = photometric === PALETTE ? 1 : 255 / most;
  for (let at = 0; at < count; at++) {
    const bit = at * bits;
    result[at] = (row[bit >> 3]! >> (8 - bits - (bit & 7)) & most) * scale;
  }
  return result;
}
