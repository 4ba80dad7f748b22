// Real files of every format, and hostile ones, against what Pillow makes of them.
import { assert, assertEquals, assertLess } from "@std/assert";
import { decodeImage } from "./decode.ts";
import { type Image, ImageError } from "./image.ts";
import { decodeRecord } from "./preprocess.ts";
import fixture from "./fixtures/corpus.json" with { type: "json" };

const DATA = new URL("../../../shared/data/images/", import.meta.url);

/** Broken files of which every decoder makes something else. */
const NO_RIGHT_ANSWER = [
  "hostile/badrle.bmp",
  "hostile/dc-predictor-overflow.jpg",
  "hostile/hopper_bad_exif.jpg",
  "hostile/subtract-with-overflow.jpg",
];

/** Readable to Pillow, and refused here with a reason: damaged, or a variety nobody sends. */
const REFUSED = [
  "hostile/no_palette.gif",
  "hostile/testimgl.jpg",
  "hostile/zune-1026c91eaa65ce2b63f2eb9a5ebe1de049223e27",
  "pngsuite/xcsn0g01.png",
];

Deno.test({
  name: "decodeRecord() is within 2 of 255 of Pillow on each of ../shared/data/images",
  ignore: !hasData(),
  fn: async () => {
    const refused: string[] = [];
    for (const { file, record } of fixture.records) {
      const bytes = await Deno.readFile(new URL(file, DATA));
      let ours: Uint8Array;
      try {
        ours = await decodeRecord(bytes, { side: fixture.side, channels: 3 });
      } catch {
        refused.push(file);
        continue;
      }
      if (NO_RIGHT_ANSWER.includes(file)) continue;
      const theirs = Uint8Array.fromBase64(record);
      const sum = ours.reduce((sum, value, at) => sum + Math.abs(value - theirs[at]!), 0);
      assertLess(sum / ours.length, 2, file);
    }
    assertEquals(refused.sort(), REFUSED);
  },
});

Deno.test({
  name: "decodeImage() reads or refuses each of ../shared/data/images in bounded time and memory",
  ignore: !hasData(),
  fn: async () => {
    const manifest: { file: string; format?: string; pillow?: string; bytes: number }[] = JSON
      .parse(
        await Deno.readTextFile(new URL("manifest.json", DATA)),
      );
    const before = Deno.memoryUsage().rss;
    for (const { file, format, pillow } of manifest) {
      const bytes = await Deno.readFile(new URL(file, DATA));
      const started = performance.now();
      let image: Image | undefined;
      try {
        image = await decodeImage(bytes);
      } catch (error) {
        assert(error instanceof ImageError, `${file}: ${error}`);
      }
      assertLess(performance.now() - started, 5_000, file);
      assertLess(Deno.memoryUsage().rss - before, 600e6, file);
      if (image !== undefined) {
        assertEquals(image.data.length, image.width * image.height * 3, file);
      }
      const readable = ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"].includes(format ?? "") &&
        pillow === "ok";
      if (readable && !file.startsWith("hostile/") && !file.startsWith("pngsuite/x")) {
        assert(image !== undefined, `${file} was refused`);
      }
    }
  },
});

function hasData(): boolean {
  try {
    return Deno.statSync(DATA).isDirectory;
  } catch {
    return false;
  }
}
