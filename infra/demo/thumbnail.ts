import { decodeImage } from "../../shared/image/decode.ts";
import { resize } from "../../shared/image/resize/resize.ts";

/** Width and height in pixels. A character shows two pixels, one above the other: 8 lines. */
const SIDE = 16;

/** Columns that a thumbnail takes. */
export const THUMBNAIL_WIDTH = SIDE;

/** Whether this terminal shows 24-bit colours; it says so itself. */
export function showsPictures(): boolean {
  return Deno.stdout.isTerminal() && !Deno.noColor &&
    /^(truecolor|24bit)$/.test(Deno.env.get("COLORTERM") ?? "");
}

/** An image as lines of coloured half blocks. */
export async function thumbnail(bytes: Uint8Array): Promise<string[]> {
  const image = resize(await decodeImage(bytes), { width: SIDE, height: SIDE });
  const colour = (x: number, y: number) => {
    const start = (y * SIDE + x) * image.channels;
    const sample = (channel: number) => image.data[start + channel % image.channels];
    return `${sample(0)};${sample(1)};${sample(2)}`;
  };
  return Array.from({ length: SIDE / 2 }, (_, row) => {
    let line = "";
    for (let x = 0; x < SIDE; x++) {
      line += `\x1b[38;2;${colour(x, 2 * row)};48;2;${colour(x, 2 * row + 1)}m▀`;
    }
    return `${line}\x1b[0m`;
  });
}
