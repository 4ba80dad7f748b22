import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { openDataset } from "./open_dataset.ts";
import { encodePng } from "./shapes/png.ts";

/** IDX of 6,000 blank images of 3 × 3, labels 0 and 1. */
async function writeMnist(directory: string): Promise<void> {
  for (const [part, count] of [["train", 6000], ["t10k", 10]] as const) {
    const size = [0, 0, count >>> 8, count & 255];
    const images = new Uint8Array(16 + count * 9);
    images.set([0, 0, 8, 3, ...size, 0, 0, 0, 3, 0, 0, 0, 3]);
    const labels = new Uint8Array(8 + count).map((_, i) => i & 1);
    labels.set([0, 0, 8, 1, ...size]);
    await Deno.writeFile(join(directory, `${part}-images-idx3-ubyte`), images);
    await Deno.writeFile(join(directory, `${part}-labels-idx1-ubyte`), labels);
  }
}

async function writePictures(directory: string): Promise<void> {
  for (const [value, place] of ["train/a", "train/b", "val/a", "val/b"].entries()) {
    await Deno.mkdir(join(directory, place), { recursive: true });
    const pixels = new Uint8Array(20 * 10 * 3).fill(value);
    await Deno.writeFile(join(directory, place, "1.png"), encodePng(pixels, 20, 10));
  }
}

Deno.test("openDataset() takes a folder of IDX files for MNIST and any other for images", async () => {
  const directory = await Deno.makeTempDir();
  await writePictures(directory);
  const pictures = await openDataset(directory, { side: 8, channels: 1 });
  assertEquals([pictures.side, pictures.channels, pictures.train.source.recordBytes], [8, 1, 64]);
  assertEquals((await openDataset(directory)).side, 96);

  await writeMnist(directory);
  const digits = await openDataset(directory);
  assertEquals([digits.side, digits.channels, digits.train.count], [3, 1, 1000]);
  await Deno.remove(directory, { recursive: true });
});

Deno.test("openDataset() rejects sides that no record can have", async () => {
  for (const side of [0, 1.5, 5000, NaN]) {
    await assertRejects(() => openDataset("anywhere", { side }), RangeError, "side is");
  }
});

Deno.test("openDataset() says when there is nothing at the path", async () => {
  await assertRejects(() => openDataset("no/such/folder"), Error, "no/such/folder is not there");
});
