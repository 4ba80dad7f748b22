import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { Buffer } from "node:buffer";
import { crc32, deflateSync } from "node:zlib";
import { readImageFolder } from "../dataset/image_folder.ts";
import { openDataset } from "../dataset/open_dataset.ts";
import { readRecord } from "../dataset/record_source.ts";
import { encodePng } from "../dataset/shapes/png.ts";
import { statisticsOf } from "../dataset/statistics.ts";
import { withFiles } from "../fixtures/with_files.ts";
import { prepare, type PrepareOptions } from "./prepare.ts";
import { verifyPrepared } from "./verify.ts";

const SIDE = 6;
const settings = {
  side: SIDE,
  channels: 3 as const,
  seed: 1,
  validationShare: 0.1,
  testShare: 0.1,
  shardBytes: 16 * SIDE * SIDE * 3,
  maxPixels: 10_000,
};

/** A picture of one colour, different for each value. */
const picture = (value: number) =>
  encodePng(
    Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => [value & 255, value >> 8, 99][i % 3]!),
    SIDE,
    SIDE,
  );

function pictures(count: number): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  for (let i = 0; i < count; i++) files[`train/${"ab"[i % 2]}/${i}.png`] = picture(i);
  for (let i = 0; i < 6; i++) files[`val/${"ab"[i % 2]}/v${i}.png`] = picture(1000 + i);
  return files;
}

/** Prepares these files and gives what came out. */
async function prepared(
  directory: string,
  options: Partial<PrepareOptions["settings"]> = {},
  workers = 2,
) {
  const folder = join(directory, `out${workers}`);
  const result = await prepare({
    source: join(directory, "in"),
    folder,
    settings: { ...settings, ...options },
    workers,
  });
  return { ...result, folder };
}

const within = (files: Record<string, Uint8Array | string>) =>
  Object.fromEntries(Object.entries(files).map(([path, content]) => [`in/${path}`, content]));

async function contents(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const { name } of Deno.readDir(folder)) {
    files.set(name, Buffer.from(await Deno.readFile(join(folder, name))).toString("base64"));
  }
  return new Map([...files].sort());
}

Deno.test("prepare() gives the records, labels and statistics that the same folder has in memory", async () => {
  await withFiles(within(pictures(60)), async (directory) => {
    const { folder, report } = await prepared(directory);
    assertEquals([report.images.train, report.images.validation, report.shards], [60, 6, 5]);
    const ours = await openDataset(folder, { side: SIDE, channels: 3 });
    const theirs = await readImageFolder(join(directory, "in"), { side: SIDE, channels: 3 });
    assertEquals(ours.classes, theirs.classes);
    const lines = ({ train }: typeof ours) =>
      Array.from(train.labels, (label, i) => `${label} ${readRecord(train.source, i)}`);
    assertEquals(lines(ours).toSorted(), lines(theirs).toSorted());
    assert(lines(ours).join() !== lines(theirs).join(), "the order is not shuffled");
    assertEquals(ours.statistics, statisticsOf(theirs.train, 3));
    assertEquals([...ours.validation.labels], [...theirs.validation.labels]);
    assertEquals(readRecord(ours.validation.source, 5), readRecord(theirs.validation.source, 5));
    assertEquals(ours.test, null);
    assertEquals(ours.contentFingerprint, theirs.contentFingerprint);
    ours.train.source.close?.();
    ours.validation.source.close?.();
  });
});

Deno.test("prepare() writes the same bytes with any number of workers, others with another seed", async () => {
  await withFiles(within({ ...pictures(50), "train/a/broken.png": "no picture" }), async (dir) => {
    const one = await contents((await prepared(dir, {}, 1)).folder);
    const three = await contents((await prepared(dir, {}, 3)).folder);
    assertEquals(one, three);
    assertEquals([...one.keys()].filter((name) => name.startsWith(".")), []);
    const other = await contents((await prepared(dir, { seed: 2 }, 4)).folder);
    assert(other.get("train-00000.shard") !== one.get("train-00000.shard"));
  });
});

/** A PNG of one gray, 16 bits a sample. */
function deepPng(width: number, height: number): Uint8Array {
  const chunk = (type: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const sizes = Buffer.alloc(8);
    sizes.writeUInt32BE(data.length);
    sizes.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([sizes.subarray(0, 4), body, sizes.subarray(4)]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  head.set([16, 2, 0, 0, 0], 8);
  const row = Buffer.alloc(1 + 6 * width, 0x80).fill(0, 0, 1);
  const rows = Buffer.concat(Array.from({ length: height }, () => row));
  return Buffer.concat([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10),
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

/** 8 x 8 pixels of four inks, written by Pillow 13. */
const cmykJpeg = Buffer.from(
  [
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAQCwwODAoQDg0OEhEQExgoGhgWFhgxIyUdKDozPTw5Mzg3QEhcTkBE",
    "V0U3OFBtUVdfYmdoZz5NcXlwZHhcZWdj/8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EABYAAQEBAAAAAAAAAAAA",
    "AAAAAAcBBv/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAOBEMATQBZAEsAAD8AQEH7bP/Z",
  ].join(""),
  "base64",
);

Deno.test("prepare() names and leaves out what it cannot read, and reads CMYK and 16 bits a sample", async () => {
  const files = {
    ...pictures(20),
    "train/a/deep.png": deepPng(8, 8),
    "train/a/inks.jpg": cmykJpeg,
    "train/a/empty.jpg": new Uint8Array(0),
    "train/a/huge.png": picture(1).map((byte, i) => i === 18 ? 0x7f : byte),
    "train/b/text.jpg": "no picture",
    "secret.png": picture(5),
  };
  const placed = within(files);
  delete placed["in/secret.png"];
  await withFiles({ ...placed, "secret.png": picture(5) }, async (directory) => {
    await Deno.symlink(join(directory, "secret.png"), join(directory, "in/train/a/out.png"));
    await Deno.symlink("0.png", join(directory, "in/train/a/inside.png"));
    await Deno.symlink("nowhere.png", join(directory, "in/train/b/dangling.png"));
    const { report, folder } = await prepared(directory);
    const reasons = Object.fromEntries(report.broken.map(({ file, reason }) => [file, reason]));
    assertEquals(Object.keys(reasons), [
      "train/a/empty.jpg",
      "train/a/huge.png",
      "train/a/out.png",
      "train/b/dangling.png",
      "train/b/text.jpg",
    ]);
    assertStringIncludes(reasons["train/a/empty.jpg"]!, "it has no bytes");
    assertStringIncludes(reasons["train/a/huge.png"]!, "over the limit of 10000");
    assertStringIncludes(reasons["train/a/out.png"]!, "symbolic link that leads out");
    assertStringIncludes(reasons["train/b/dangling.png"]!, "it is not there");
    const lines = (await Deno.readTextFile(join(folder, "broken.jsonl"))).trim().split("\n");
    assertEquals(lines.map((line) => JSON.parse(line)), [...report.broken]);
    assertEquals([report.images.found, report.images.train, report.images.broken], [34, 23, 5]);
    assertEquals(report.duplicates.within.map(({ files }) => files.map(({ file }) => file)), [
      ["train/a/0.png", "train/a/inside.png"],
    ]);
  });
});

Deno.test("prepare() warns of images that splits or classes share and of classes of one image", async () => {
  const files = {
    ...pictures(20),
    "val/b/leak.png": picture(3),
    "train/b/other.png": picture(4),
    "train/c/only.png": picture(2000),
  };
  await withFiles(within(files), async (directory) => {
    const { report } = await prepared(directory);
    assertEquals(report.duplicates.across, [{
      files: [{ file: "train/b/3.png", split: "train" }, {
        file: "val/b/leak.png",
        split: "validation",
      }],
    }]);
    assertEquals(report.warnings, [
      "Images in more than one split (1): train/b/3.png = val/b/leak.png",
      "Images in more than one class (1): train/a/4.png = train/b/other.png",
      "Classes with a single training image (1): c",
      "Classes without a validation image (1): c",
    ]);
    assertEquals(report.balance, { least: 1, most: 11 });
    assertEquals(report.classes.at(-1), { name: "c", train: 1, validation: 0, test: 0 });
  });
});

Deno.test("prepare() divides a flat folder by content and leaves each class its training images", async () => {
  const files: Record<string, Uint8Array> = { "c/only.png": picture(77) };
  for (let i = 0; i < 120; i++) files[`${"ab"[i % 2]}/${i}.png`] = picture(i);
  for (let i = 0; i < 40; i++) files[`a/copy${i}.png`] = picture(i);
  await withFiles(within(files), async (directory) => {
    const { report, folder } = await prepared(directory, { validationShare: 0.3 });
    const { train, validation, test } = report.images;
    assertEquals(train + validation + test, 161);
    // 36 and 12 expected of the 120 contents; five deviations of the binomial are 25 and 16.
    assert(validation > 11 && validation < 75, `${validation}`);
    assert(test > 0 && test < 35, `${test}`);
    assertEquals(report.duplicates.across, []);
    assertEquals(report.classes[2], { name: "c", train: 1, validation: 0, test: 0 });
    const dataset = await openDataset(folder);
    assertEquals([dataset.validation.count, dataset.test?.count], [validation, test]);
  });
});

Deno.test("prepare() of a complete folder gives its report again, and refuses another plan", async () => {
  await withFiles(within(pictures(60)), async (directory) => {
    const first = await prepared(directory);
    assertEquals([first.done, first.resumed], [66, 0]);
    const whole = await contents(first.folder);
    const again = await prepared(directory);
    assertEquals([again.done, again.resumed, again.report], [0, 66, first.report]);
    await assertRejects(
      () => prepared(directory, { side: 7 }),
      Error,
      "it holds data of other images or settings",
    );
    assertEquals(await contents(first.folder), whole);
  });
});

Deno.test("prepare() refuses a folder that holds other things and a source without images", async () => {
  await withFiles({ "out2/mine.txt": "x", "in/a.csv": "path,label\n../x.png,a\n" }, async (dir) => {
    await assertRejects(() => prepared(dir), Error, "it holds mine.txt (name a new folder)");
    const options = { source: join(dir, "in/a.csv"), folder: join(dir, "new"), settings };
    await assertRejects(() => prepare(options), Error, "names no images");
  });
});

Deno.test("prepare() reads keys of an object store as it reads a folder", async () => {
  await withFiles(within(pictures(40)), async (directory) => {
    const local = await prepared(directory, {}, 1);
    const folder = join(directory, "remote");
    const remote = await prepare({ source: `file://${directory}/in`, folder, settings });
    assertEquals(remote.report, local.report);
    assertEquals(await contents(folder), await contents(local.folder));
  });
});

Deno.test("verifyPrepared() finds a changed byte, a cut and a missing shard", async () => {
  await withFiles(within(pictures(60)), async (directory) => {
    const { folder } = await prepared(directory);
    assertEquals(await verifyPrepared(folder), []);
    const path = (shard: number) => join(folder, `train-0000${shard}.shard`);
    const bytes = await Deno.readFile(path(0));
    bytes[5000]! ^= 1;
    await Deno.writeFile(path(0), bytes);
    await Deno.truncate(path(1), 5000);
    await Deno.remove(path(2));
    const problems = await verifyPrepared(folder);
    assertEquals(problems.length, 3);
    assertStringIncludes(problems[0]!, "train-00000.shard: its checksum is wrong");
    assertStringIncludes(problems[1]!, "train-00001.shard: it has 5000 bytes");
    assertStringIncludes(problems[2]!, "train-00002.shard: ");
    await assertRejects(() => openDataset(folder), Error, "train-00001.shard");
    await assertRejects(() => openDataset(folder, { side: 9 }), RangeError, "--side 9");
  });
});
