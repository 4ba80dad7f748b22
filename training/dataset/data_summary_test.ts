import { assertEquals } from "@std/assert";
import { memorySplit } from "./dataset.ts";
import { summarize } from "./data_summary.ts";

const split = (labels: number[]) =>
  memorySplit(new Uint8Array(labels.length * 4).fill(labels.length), Uint32Array.from(labels));

const dataset = {
  classes: ["many", "few"],
  side: 2,
  channels: 1 as const,
  train: split([...Array(39).fill(0), 1]),
  validation: split([0, 0]),
  test: null,
  broken: [{ file: "a.png", reason: "cut off" }],
  warnings: ["an older one"],
  fingerprint: "0f",
};

Deno.test("summarize() counts by class and split, and warns of small and unmeasured classes", () => {
  const { classes, images, bytes, warnings, colors, broken } = summarize(dataset);
  assertEquals(classes, [
    { name: "many", train: 39, validation: 2, test: null },
    { name: "few", train: 1, validation: 0, test: null },
  ]);
  assertEquals([images, bytes], [{ train: 40, validation: 2, test: null }, 42 * 4]);
  assertEquals([colors.mean, colors.std], [[40], [0]]);
  assertEquals(broken, dataset.broken);
  assertEquals(warnings, [
    "an older one",
    "Classes with less than a tenth of the average's training images: few (1)",
    "Classes without a validation image: few (1)",
  ]);
});

Deno.test("summarize() has nothing to say of a balanced set with a test split", () => {
  const even = split([0, 1, 0, 1]);
  const { classes, warnings } = summarize({
    ...dataset,
    train: even,
    validation: even,
    test: even,
    warnings: [],
  });
  assertEquals(classes.map(({ test }) => test), [2, 2]);
  assertEquals(warnings, []);
});
