import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { decodeImage } from "../../../shared/image/decode.ts";
import { readImageFolder } from "../image_folder.ts";
import type { Progress } from "../progress.ts";
import { drawShape, SHAPE_CLASSES } from "./picture.ts";
import { writeShapes } from "./write_shapes.ts";

const options = { train: 60, validation: 20, test: 10, seed: 4, side: 32 };

async function inTemporaryFolder(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  await run(directory).finally(() => Deno.remove(directory, { recursive: true }));
}

Deno.test("writeShapes() writes a folder that the image folder reader reads without complaint", async () => {
  await inTemporaryFolder(async (directory) => {
    const seen: Progress[] = [];
    await writeShapes(directory, { ...options, onProgress: (progress) => seen.push(progress) });
    assertEquals([seen.at(-1)?.done, seen.at(-1)?.total], [90, 90]);
    const dataset = await readImageFolder(directory, { side: 32, channels: 3 });
    assertEquals(dataset.classes, [...SHAPE_CLASSES]);
    assertEquals([dataset.train.count, dataset.validation.count, dataset.test?.count], [
      60,
      20,
      10,
    ]);
    assertEquals([dataset.broken, dataset.warnings], [[], []]);
    for (const label of SHAPE_CLASSES.keys()) {
      assertEquals(dataset.train.labels.filter((other) => other === label).length, 6);
    }
    assertStringIncludes(await Deno.readTextFile(join(directory, "README.txt")), "not photographs");
  });
});

Deno.test("writeShapes() writes exactly the pixels that drawShape() draws", async () => {
  await inTemporaryFolder(async (directory) => {
    await writeShapes(directory, options);
    const file = await Deno.readFile(join(directory, "validation/gear/000013.png"));
    const { width, height, data } = await decodeImage(file);
    assertEquals([width, height], [32, 32]);
    assertEquals(data, drawShape({ seed: 4, split: "validation", index: 13, side: 32 }));
  });
});

Deno.test("writeShapes() writes the same set from the same seed", async () => {
  const prints: string[] = [];
  for (const seed of [4, 4, 5]) {
    await inTemporaryFolder(async (directory) => {
      await writeShapes(directory, { ...options, seed });
      prints.push((await readImageFolder(directory, { side: 32, channels: 3 })).fingerprint);
    });
  }
  assertEquals(prints[0], prints[1]);
  assert(prints[0] !== prints[2]);
});

Deno.test("writeShapes() makes no test/ where none is wanted", async () => {
  await inTemporaryFolder(async (directory) => {
    await writeShapes(directory, { ...options, test: 0 });
    const entries = Array.from(Deno.readDirSync(directory), ({ name }) => name).sort();
    assertEquals(entries, ["README.txt", "train", "validation"]);
  });
});

Deno.test("writeShapes() leaves a folder alone that is not empty", async () => {
  await inTemporaryFolder(async (directory) => {
    await Deno.writeTextFile(join(directory, "thesis.txt"), "x");
    await assertRejects(
      () => writeShapes(directory, options),
      Error,
      "not empty (it holds thesis.txt)",
    );
    assertEquals([...Deno.readDirSync(directory)].length, 1);
  });
});

Deno.test("writeShapes() rejects numbers out of range", async () => {
  const wrong = { train: 9, validation: 0, test: 3, seed: -1, side: 8 };
  for (const [name, value] of Object.entries(wrong)) {
    await assertRejects(
      () => writeShapes("never-made", { ...options, [name]: value }),
      RangeError,
      `${name} is ${value}`,
    );
  }
});
