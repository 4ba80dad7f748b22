import { encodePng } from "./png.ts";

/** Pixels of a heat map's side; a page stretches it over the picture. */
const SIDE = 96;

/**
 * A see-through red over the patches that count most, as a PNG data URL to lay over the picture.
 *
 * @param heat [patches, patches], 0 to 1
 */
export function heatMap(heat: Float32Array, patches: number): string {
  const data = new Uint8Array(SIDE * SIDE * 4);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const value = bilinear(heat, patches, x, y);
      data.set(
        [255, Math.round(200 * (1 - value)), 0, Math.round(200 * value)],
        (y * SIDE + x) * 4,
      );
    }
  }
  const png = encodePng({ width: SIDE, height: SIDE, channels: 4, data });
  return `data:image/png;base64,${png.toBase64()}`;
}

function bilinear(heat: Float32Array, patches: number, x: number, y: number): number {
  const place = (pixel: number) =>
    Math.min(patches - 1, Math.max(0, (pixel + 0.5) * patches / SIDE - 0.5));
  const [column, row] = [place(x), place(y)];
  const [left, top] = [Math.floor(column), Math.floor(row)];
  const at = (c: number, r: number) =>
    heat[Math.min(r, patches - 1) * patches + Math.min(c, patches - 1)]!;
  const across = (r: number) =>
    at(left, r) * (left + 1 - column) + at(left + 1, r) * (column - left);
  return across(top) * (top + 1 - row) + across(top + 1) * (row - top);
}
