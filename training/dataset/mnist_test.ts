import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { gzipSync } from "node:zlib";
import { memorySplit } from "./dataset.ts";
import { isMnistFolder, readMnist } from "./mnist.ts";
import { readRecord } from "./record_source.ts";
import { statisticsOf } from "./statistics.ts";

function idx(dimensions: number[], values: (i: number) => number): Uint8Array {
  const size = dimensions.reduce((product, dimension) => product * dimension, 1);
  const sizes = dimensions.flatMap((d) => [d >>> 24, d >>> 16 & 255, d >>> 8 & 255, d & 255]);
  const bytes = new Uint8Array(4 + sizes.length + size);
  bytes.set([0, 0, 8, dimensions.length, ...sizes]);
  for (let i = 0; i < size; i++) bytes[4 + sizes.length + i] = values(i);
  return bytes;
}

const TRAIN = 5010;

/** A set of 2 × 2 images whose pixels are their label, in a folder of its own. */
async function folder(changes: Record<string, Uint8Array | null> = {}): Promise<string> {
  const directory = await Deno.makeTempDir();
  const files: Record<string, Uint8Array | null> = {
    "train-images-idx3-ubyte": idx([TRAIN, 2, 2], (i) => Math.floor(i / 4) % 7),
    "train-labels-idx1-ubyte": idx([TRAIN], (i) => i % 7),
    "t10k-images.idx3-ubyte.gz": gzipSync(idx([3, 2, 2], (i) => Math.floor(i / 4))),
    "t10k-labels-idx1-ubyte.gz": gzipSync(idx([3], (i) => i)),
    ...changes,
  };
  for (const [name, bytes] of Object.entries(files)) {
    if (bytes !== null) await Deno.writeFile(join(directory, name), bytes);
  }
  return directory;
}

Deno.test("readMnist() reads plain and gzipped files, the last 5,000 as validation", async () => {
  const directory = await folder();
  assert(await isMnistFolder(directory));
  const { classes, side, channels, train, validation, test } = await readMnist(directory);
  assertEquals([classes.join(""), side, channels], ["0123456", 2, 1]);
  assertEquals([train.count, validation.count, test?.count], [10, 5000, 3]);
  assertEquals([...train.labels], [0, 1, 2, 3, 4, 5, 6, 0, 1, 2]);
  for (const split of [train, validation, test!]) {
    split.labels.forEach((label, i) => {
      assertEquals([...readRecord(split.source, i)], [label, label, label, label]);
    });
  }
  await Deno.remove(directory, { recursive: true });
});

Deno.test("readMnist() resizes and repeats the gray value where asked", async () => {
  const directory = await folder();
  const { side, channels, test } = await readMnist(directory, { side: 5, channels: 3 });
  assertEquals([side, channels, test!.source.recordBytes], [5, 3, 5 * 5 * 3]);
  assertEquals([...new Set(readRecord(test!.source, 2))], [2]);
  await Deno.remove(directory, { recursive: true });
});

Deno.test("readMnist() names the file that is wrong or absent", async () => {
  const cases: [Record<string, Uint8Array | null>, string][] = [
    [{ "train-labels-idx1-ubyte": null }, "train-labels-idx1-ubyte, plain or .gz, is not in"],
    [{ "train-labels-idx1-ubyte": idx([TRAIN - 1], () => 0) }, "5010 images but 5009 labels"],
    [{ "t10k-labels-idx1-ubyte.gz": new Uint8Array([31, 139, 8]) }, "gzip failed"],
    [{ "t10k-labels-idx1-ubyte.gz": gzipSync(idx([3, 1, 1], () => 0)) }, "3 dimensions"],
    [{
      "train-images-idx3-ubyte": idx([9, 2, 2], () => 0),
      "train-labels-idx1-ubyte": idx([9], () => 0),
    }, "9 training images"],
  ];
  for (const [changes, message] of cases) {
    const directory = await folder(changes);
    await assertRejects(() => readMnist(directory), Error, message);
    await Deno.remove(directory, { recursive: true });
  }
});

const mnist = fromFileUrl(new URL("../../../shared/data/mnist", import.meta.url));
const absent = await Deno.stat(mnist).then(() => false, () => true);

Deno.test({ name: "readMnist() reads the real MNIST", ignore: absent }, async () => {
  const { classes, side, train, validation, test } = await readMnist(mnist);
  assertEquals([classes.join(""), side], ["0123456789", 28]);
  assertEquals([train.count, validation.count, test?.count], [55_000, 5_000, 10_000]);
  // The files' first labels, as everyone knows them.
  assertEquals([...train.labels.subarray(0, 8)], [5, 0, 4, 1, 9, 2, 1, 3]);
  assertEquals([...test!.labels.subarray(0, 8)], [7, 2, 1, 0, 4, 1, 4, 9]);
  const digits = new Uint32Array(10);
  for (const label of test!.labels) digits[label]!++;
  assertEquals([...digits], [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
  // 0.1307 and 0.3081 of 255 over all 60,000 images.
  const both = [train, validation].flatMap(({ source, count }) =>
    Array.from({ length: count }, (_, i) => readRecord(source, i))
  );
  const records = new Uint8Array(60_000 * 784);
  both.forEach((record, i) => records.set(record, i * 784));
  const whole = statisticsOf(memorySplit(records, new Uint32Array(60_000)), 1);
  assertAlmostEquals(whole.mean[0]! / 255, 0.1307, 5e-5);
  assertAlmostEquals(whole.std[0]! / 255, 0.3081, 5e-5);
});
