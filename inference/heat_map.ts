import { readImageHeader } from "../shared/image/header.ts";
import { seenRegion } from "../shared/image/preprocess.ts";
import type { ModelManifest } from "../shared/manifest.ts";
import { encodePng } from "./png.ts";
import { heat, PATCHES } from "./workers/occlusion.ts";

/** Pixels of a heat map's longer side; a page stretches it over the picture. */
const SIDE = 128;

/** How dark the parts are that the network did not look at, of 255. */
const VEIL = 140;

type Described = Pick<ModelManifest, "preprocess" | "output">;

/**
 * What an answer rests on, as a PNG data URL in the proportions of the upright picture, to lay over
 * it: see-through red where covering a patch takes most from the probability of the best label, dark
 * where the network did not look at all.
 *
 * @param bytes the encoded image that was answered
 * @param probabilities of the inputs of `occluded`
 */
export function heatMap(
  bytes: Uint8Array,
  probabilities: Float32Array,
  { preprocess, output }: Described,
): string {
  const picture = uprightSize(bytes);
  const scale = SIDE / Math.max(picture.width, picture.height);
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const seen = seenRegion(picture, preprocess);
  const patches = heat(probabilities, output.classes);
  const data = new Uint8Array(width * height * 4);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      // The place within what the network saw, 0 to 1.
      const column = ((x + 0.5) / width - seen.x) / seen.width;
      const row = ((y + 0.5) / height - seen.y) / seen.height;
      const isSeen = column >= 0 && column < 1 && row >= 0 && row < 1;
      const value = isSeen ? bilinear(patches, column * PATCHES, row * PATCHES) : 0;
      data.set(isSeen ? [255, 200 * (1 - value), 0, 200 * value] : [0, 0, 0, VEIL], at);
    }
  }
  const png = encodePng({ width, height, channels: 4, data });
  return `data:image/png;base64,${png.toBase64()}`;
}

function uprightSize(bytes: Uint8Array): { width: number; height: number } {
  const { width, height, orientation } = readImageHeader(bytes);
  return orientation >= 5 ? { width: height, height: width } : { width, height };
}

/** Between the middles of four patches; `column` and `row` count in patches. */
function bilinear(patches: Float32Array, column: number, row: number): number {
  const inside = (place: number) => Math.min(PATCHES - 1, Math.max(0, place - 0.5));
  const [x, y] = [inside(column), inside(row)];
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const at = (c: number, r: number) =>
    patches[Math.min(r, PATCHES - 1) * PATCHES + Math.min(c, PATCHES - 1)]!;
  const across = (r: number) => at(left, r) * (left + 1 - x) + at(left + 1, r) * (x - left);
  return across(top) * (top + 1 - y) + across(top + 1) * (y - top);
}
