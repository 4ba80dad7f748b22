import { encodePng } from "./png.ts";

/** Pictures of one size, laid out in rows with a white gap, as a PNG: to look at a set at a glance. */
export function contactSheet(
  pictures: readonly Uint8Array[],
  { side, columns, gap = 2 }: { side: number; columns: number; gap?: number },
): Uint8Array {
  const rows = Math.ceil(pictures.length / columns);
  const width = columns * (side + gap) + gap;
  const height = rows * (side + gap) + gap;
  const sheet = new Uint8Array(width * height * 3).fill(255);
  pictures.forEach((picture, i) => {
    const left = gap + (i % columns) * (side + gap);
    const top = gap + Math.floor(i / columns) * (side + gap);
    for (let row = 0; row < side; row++) {
      const line = picture.subarray(row * side * 3, (row + 1) * side * 3);
      sheet.set(line, ((top + row) * width + left) * 3);
    }
  });
  return encodePng(sheet, width, height);
}
