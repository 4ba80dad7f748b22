import { readExifOrientation } from "../exif.ts";
import { ImageError, type ImageHeader } from "../image.ts";

/**
 * Progressive files have about 10 scans; each further scan walks the whole image again for a few
 * bytes of input, which makes a small file cost minutes. libjpeg-turbo's fuzzers stop at 500.
 */
const MAX_SCANS = 100;

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const APP1 = 0xe1;
const DHT = 0xc4;
const JPG = 0xc8;
const DAC = 0xcc;

/** Frame types that are decoded: baseline, extended sequential and progressive, Huffman coded. */
const SUPPORTED_FRAMES = new Set([0xc0, 0xc1, 0xc2]);

/**
 * Reads a JPEG's frame header and EXIF orientation by walking its markers (ITU-T T.81, annex B).
 *
 * @throws {ImageError} `unsupported` for lossless, hierarchical and arithmetic-coded files and for
 * samples of other than 8 bits, `corrupt` for files without a frame or a scan.
 */
export function readJpegHeader(bytes: Uint8Array): ImageHeader {
  let size: { width: number; height: number } | undefined;
  let orientation = 1;
  let scans = 0;
  for (const { marker, start, end } of segments(bytes)) {
    if (isFrame(marker)) {
      // The decoder takes the first frame and refuses a second one by itself.
      size ??= readFrame(marker, bytes.subarray(start, end));
    } else if (marker === APP1 && scans === 0 && isExif(bytes, start, end)) {
      orientation = readExifOrientation(bytes.subarray(start + 6, end));
    } else if (marker === SOS && ++scans > MAX_SCANS) {
      throw corrupt(`more than ${MAX_SCANS} scans`);
    }
  }
  if (size === undefined) throw corrupt("no frame header");
  if (scans === 0) throw corrupt("no scan");
  return { format: "jpeg", ...size, orientation };
}

/** Whether the file has its end marker; one that was cut off has none behind its scans. */
export function hasEnd(bytes: Uint8Array): boolean {
  const walk = segments(bytes);
  let step = walk.next();
  while (!step.done) step = walk.next();
  return step.value;
}

interface Segment {
  readonly marker: number;
  /** First byte after the length field. */
  readonly start: number;
  readonly end: number;
}

/**
 * Marker segments up to the end of the image, and whether that is marked. Junk between segments is
 * skipped, as libjpeg does.
 */
function* segments(bytes: Uint8Array): Generator<Segment, boolean> {
  let at = 2;
  while ((at = bytes.indexOf(0xff, at)) >= 0) {
    const marker = bytes[at + 1];
    if (marker === undefined) return false;
    if (marker === 0xff) {
      at++;
      continue;
    }
    at += 2;
    if (marker === EOI) return true;
    // Stuffed zeros, restarts, SOI and TEM have no length field.
    if (marker === 0x00 || marker === 0x01 || (marker >= 0xd0 && marker <= SOI)) continue;
    const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    if (length < 2 || at + length > bytes.length) return false;
    yield { marker, start: at + 2, end: at + length };
    at += length;
  }
  return false;
}

function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== DHT && marker !== JPG && marker !== DAC;
}

function readFrame(marker: number, frame: Uint8Array): { width: number; height: number } {
  if (!SUPPORTED_FRAMES.has(marker)) {
    throw unsupported(`lossless, hierarchical or arithmetic frame ${marker.toString(16)}`);
  }
  if (frame.length < 6) throw corrupt("the frame header is too short");
  const [precision, heightHigh, heightLow, widthHigh, widthLow, components] = frame;
  if (precision !== 8) throw unsupported(`${precision} bits a sample`);
  if (components !== 1 && components !== 3 && components !== 4) {
    throw unsupported(`${components} components`);
  }
  const height = (heightHigh! << 8) | heightLow!;
  const width = (widthHigh! << 8) | widthLow!;
  if (width === 0) throw corrupt("the width is 0");
  // Height 0 defers the height to a DNL marker after the first scan; nobody writes those.
  if (height === 0) throw unsupported("height given after the scan, DNL");
  return { width, height };
}

function isExif(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start > 6 &&
    [0x45, 0x78, 0x69, 0x66, 0, 0].every((byte, index) => bytes[start + index] === byte);
}

function corrupt(cause: string): ImageError {
  return new ImageError("corrupt", `Cannot read JPEG: ${cause}`);
}

function unsupported(cause: string): ImageError {
  return new ImageError("unsupported", `Cannot read JPEG: unsupported variety (${cause})`);
}
