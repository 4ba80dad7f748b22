const ORIENTATION_TAG = 0x0112;
const SHORT = 3;
const LONG = 4;

/**
 * EXIF orientation (1 to 8) from a TIFF structure, as it lies in JPEG's APP1 after `Exif\0\0` and
 * in PNG's eXIf chunk. Metadata never makes an image unreadable: whatever is broken reads as 1.
 */
export function readExifOrientation(tiff: Uint8Array): number {
  if (tiff.length < 8) return 1;
  const order = (tiff[0]! << 8) | tiff[1]!;
  if (order !== 0x4949 && order !== 0x4d4d) return 1;
  const littleEndian = order === 0x4949;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  if (view.getUint16(2, littleEndian) !== 42) return 1;
  const directory = view.getUint32(4, littleEndian);
  if (directory + 2 > tiff.length) return 1;
  const entries = view.getUint16(directory, littleEndian);
  for (let entry = 0; entry < entries; entry++) {
    const at = directory + 2 + entry * 12;
    if (at + 12 > tiff.length) return 1;
    if (view.getUint16(at, littleEndian) !== ORIENTATION_TAG) continue;
    const type = view.getUint16(at + 2, littleEndian);
    const value = type === SHORT
      ? view.getUint16(at + 8, littleEndian)
      : type === LONG
      ? view.getUint32(at + 8, littleEndian)
      : 1;
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}
