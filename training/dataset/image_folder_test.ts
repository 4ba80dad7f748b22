import { assert, assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { withFiles } from "../fixtures/with_files.ts";
import type { Dataset } from "./dataset.ts";
import { type ImageFolderOptions, readImageFolder } from "./image_folder.ts";
import type { Progress } from "./progress.ts";
import { readRecord } from "./record_source.ts";
import { encodePng } from "./shapes/png.ts";

const SIDE = 4;
const options: ImageFolderOptions = { side: SIDE, channels: 3, workers: 1 };

/** A picture of one gray, different for each value from 0 to 255. */
const gray = (value: number) => encodePng(new Uint8Array(SIDE * SIDE * 3).fill(value), SIDE, SIDE);

const threeSplits = {
  "train/a/1.png": gray(1),
  "train/a/2.png": gray(2),
  "train/b/3.png": gray(3),
  "val/a/4.png": gray(4),
  "val/b/5.png": gray(5),
  "test/b/6.png": gray(6),
};

/** Each record's gray value, by the file it came from. */
function values({ train, validation, test }: Dataset): Record<string, number> {
  const found: Record<string, number> = {};
  for (const split of [train, validation, test]) {
    split?.files?.forEach((file, i) => {
      const record = readRecord(split.source, i);
      assert(record.every((byte) => byte === record[0]));
      found[file] = record[0]!;
    });
  }
  return found;
}

Deno.test("readImageFolder() reads train/, val/ and test/ with labels, records and names in step", async () => {
  await withFiles(threeSplits, async (directory) => {
    const seen: Progress[] = [];
    const dataset = await readImageFolder(directory, {
      ...options,
      onProgress: (p) => seen.push(p),
    });
    assertEquals(dataset.classes, ["a", "b"]);
    assertEquals([...dataset.train.labels], [0, 0, 1]);
    assertEquals(dataset.train.files, ["train/a/1.png", "train/a/2.png", "train/b/3.png"]);
    assertEquals([...dataset.validation.labels], [0, 1]);
    assertEquals([...dataset.test!.labels], [1]);
    for (const [file, value] of Object.entries(values(dataset))) {
      assert(file.endsWith(`${value}.png`));
    }
    assertEquals([dataset.broken, dataset.warnings], [[], []]);
    assertEquals([seen.at(-1)?.done, seen.at(-1)?.total], [6, 6]);
  });
});

Deno.test("readImageFolder() knows valid/ and validation/, and gives null where there is no test/", async () => {
  for (const name of ["valid", "validation"]) {
    const files = Object.fromEntries(
      Object.entries(threeSplits).filter(([path]) => !path.startsWith("test"))
        .map(([path, bytes]) => [path.replace("val/", `${name}/`), bytes]),
    );
    await withFiles(files, async (directory) => {
      const dataset = await readImageFolder(directory, options);
      assertEquals([dataset.train.count, dataset.validation.count, dataset.test], [3, 2, null]);
    });
  }
});

/** 240 pictures of two classes under a folder. */
const many = (prefix: string) =>
  Object.fromEntries(
    Array.from({ length: 240 }, (_, i) => [`${prefix}${i % 2 ? "odd" : "even"}/${i}.png`, gray(i)]),
  );

Deno.test("readImageFolder() divides a flat folder by content, the same whatever the names", async () => {
  let first: Record<string, number> = {};
  await withFiles(many(""), async (directory) => {
    const dataset = await readImageFolder(directory, options);
    const { train, validation, test } = dataset;
    assertEquals(train.count + validation.count + test!.count, 240);
    // 24 expected of each; five deviations of the binomial are 23.
    for (const split of [validation, test!]) {
      assert(split.count > 6 && split.count < 47, `${split.count}`);
    }
    assertEquals(Object.keys(values(dataset)).length, 240);
    first = values({ ...dataset, train: validation, validation: test! });
  });
  const renamed = Object.fromEntries(
    Object.entries(many("")).map((
      [path, bytes],
    ) => [path.replace(/\d+/, (n) => `x${999 - +n}`), bytes]),
  );
  await withFiles(renamed, async (directory) => {
    const dataset = await readImageFolder(directory, options);
    const second = values({ ...dataset, train: dataset.validation, validation: dataset.test! });
    assertEquals(Object.values(second).sort(), Object.values(first).sort());
  });
});

Deno.test("readImageFolder() holds validation out of train/ where only test/ is beside it", async () => {
  await withFiles({ ...many("train/"), "test/even/t.png": gray(250) }, async (directory) => {
    const { train, validation, test } = await readImageFolder(directory, options);
    assertEquals(train.count + validation.count, 240);
    assert(validation.count > 6 && validation.count < 47);
    assertEquals(test!.files, ["test/even/t.png"]);
  });
});

Deno.test("readImageFolder() names, skips and explains broken images", async () => {
  const files = {
    ...threeSplits,
    "train/a/0-cut.png": gray(9).subarray(0, 50),
    "train/a/empty.jpg": new Uint8Array(0),
    "train/b/text.jpg": "this is no picture",
    "val/a/0-webp.webp": "RIFF\x10\0\0\0WEBPVP8 ",
  };
  await withFiles(files, async (directory) => {
    const dataset = await readImageFolder(directory, options);
    assertEquals(
      dataset.broken.map(({ file }) => file),
      ["train/a/0-cut.png", "train/a/empty.jpg", "train/b/text.jpg", "val/a/0-webp.webp"],
    );
    for (const { reason } of dataset.broken) assert(reason.startsWith("Cannot "), reason);
    assertEquals(Object.values(values(dataset)), [1, 2, 3, 4, 5, 6]);
    assertEquals([...dataset.train.labels], [0, 0, 1]);
  });
});

Deno.test("readImageFolder() counts an image over the pixel limit as broken", async () => {
  const large = encodePng(new Uint8Array(64 * 64 * 3), 64, 64);
  await withFiles({ ...threeSplits, "train/b/large.png": large }, async (directory) => {
    const { broken, train } = await readImageFolder(directory, { ...options, maxPixels: 1000 });
    assertEquals(broken.map(({ file }) => file), ["train/b/large.png"]);
    assertEquals(train.count, 3);
  });
});

Deno.test("readImageFolder() warns of images in two splits or two classes, and of other files", async () => {
  const files = {
    ...threeSplits,
    "test/b/again.png": gray(1),
    "val/a/twin.png": gray(4),
    "train/b/two.png": gray(2),
    "train/a/notes.txt": "x",
    "train/.DS_Store": "x",
    "ATTRIBUTION.csv": "x",
  };
  await withFiles(files, async (directory) => {
    const { warnings } = await readImageFolder(directory, options);
    assertEquals(warnings, [
      "Files that are not images (1): train/a/notes.txt",
      "Images in more than one split (1): train/a/1.png = test/b/again.png",
      "Images in more than one class (2): train/a/1.png = test/b/again.png, " +
      "train/a/2.png = train/b/two.png",
    ]);
  });
});

Deno.test("readImageFolder() has a fingerprint of the content alone", async () => {
  const prints: string[] = [];
  const renamed = { ...threeSplits, "train/b/9.png": gray(3) } as Record<string, Uint8Array>;
  delete renamed["train/b/3.png"];
  for (const files of [threeSplits, renamed, { ...threeSplits, "train/b/3.png": gray(33) }]) {
    await withFiles(files, async (directory) => {
      prints.push((await readImageFolder(directory, options)).fingerprint);
    });
  }
  assertEquals(prints[0], prints[1]);
  assert(prints[0] !== prints[2]);
});

Deno.test("readImageFolder() rejects splits and classes that nothing readable is left in", async () => {
  const cut = gray(3).subarray(0, 50);
  const cases: [Record<string, Uint8Array>, string][] = [
    [{ ...threeSplits, "train/b/3.png": cut }, "no readable train images of b"],
    [{ ...threeSplits, "test/b/6.png": cut }, "no readable test images"],
    [
      { "a/1.png": gray(1), "b/2.png": gray(2) },
      "divide them yourself into train/, val/ and test/",
    ],
  ];
  for (const [files, message] of cases) {
    await withFiles(
      files,
      (directory) => assertRejects(() => readImageFolder(directory, options), Error, message),
    );
  }
});

const data = fromFileUrl(new URL("../../../shared/data/", import.meta.url));
const flowers = join(data, "flowers5-224");
const noFlowers = await Deno.stat(flowers).then(() => false, () => true);

Deno.test(
  { name: "readImageFolder() reads real photographs on all cores", ignore: noFlowers },
  async () => {
    const dataset = await readImageFolder(flowers, { side: 64, channels: 3 });
    assertEquals(dataset.classes, ["daisy", "dandelion", "roses", "sunflowers", "tulips"]);
    assertEquals([dataset.train.count, dataset.validation.count, dataset.test], [2000, 450, null]);
    assertEquals(dataset.broken, []);
    assertEquals(dataset.warnings, [
      "Images in more than one split (1): train/sunflowers/14889392928_9742aed45b_m.jpg = " +
      "val/sunflowers/15066430311_fb57fa92b0_m.jpg",
    ]);
  },
);

const hostile = join(data, "images/hostile");
const noHostile = await Deno.stat(hostile).then(() => false, () => true);

Deno.test({ name: "readImageFolder() survives hostile files", ignore: noHostile }, async () => {
  await withFiles(threeSplits, async (directory) => {
    let copied = 0;
    for await (const { name } of Deno.readDir(hostile)) {
      if (!/\.(jpg|png|gif|webp|bmp|avif)$/.test(name)) continue;
      await Deno.copyFile(join(hostile, name), join(directory, "train/a", name));
      copied++;
    }
    const { train, broken } = await readImageFolder(directory, { ...options, maxPixels: 2 ** 22 });
    assert(copied > 50);
    assertEquals(train.count + broken.length, 3 + copied);
    assert(broken.length > 30, `${broken.length} broken`);
  });
});
