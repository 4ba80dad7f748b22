/** Formats recognised by their first bytes; only some of them are decoded, see `header.ts`. */
export type SniffedFormat = "jpeg" | "png" | "gif" | "webp" | "bmp" | "tiff" | "avif" | "heic";

/** ISO base media brands that stand for a still image (MIAF, ISO/IEC 23000-22, section 10). */
const ISO_BRANDS: Readonly<Record<string, SniffedFormat>> = {
  avif: "avif",
  avis: "avif",
  heic: "heic",
  heix: "heic",
  hevc: "heic",
  mif1: "heic",
  msf1: "heic",
};

/**
 * Names the format from the signature alone, or null when no signature matches. A file name or a
 * content type never takes part: both are the sender's claim.
 */
export function sniffFormat(bytes: Uint8Array): SniffedFormat | null {
  if (startsWith(bytes, [0xff, 0xd8, 0xff])) return "jpeg";
  if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return "png";
  const ascii = String.fromCharCode(...bytes.subarray(0, 12));
  if (ascii.startsWith("GIF87a") || ascii.startsWith("GIF89a")) return "gif";
  if (ascii.startsWith("RIFF") && ascii.slice(8, 12) === "WEBP") return "webp";
  if (ascii.startsWith("BM")) return "bmp";
  if (ascii.startsWith("II*\0") || ascii.startsWith("MM\0*")) return "tiff";
  if (ascii.slice(4, 8) === "ftyp") return ISO_BRANDS[ascii.slice(8, 12)] ?? null;
  return null;
}

function startsWith(bytes: Uint8Array, prefix: readonly number[]): boolean {
  return prefix.every((byte, index) => bytes[index] === byte);
}
