import { assertAlmostEquals, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { channelStatistics, type Dataset, fingerprintOf, type Split } from "./dataset.ts";

const split = (records: number[], labels: number[]): Split => ({
  records: Uint8Array.from(records),
  labels: Uint32Array.from(labels),
  count: labels.length,
});

Deno.test("channelStatistics() equals the definition, channel by channel", () => {
  const { mean, std } = channelStatistics(split([0, 10, 255, 4, 20, 255], [0, 1]), 3);
  assertEquals(mean, [2, 15, 255]);
  assertEquals(std, [2, 5, 0]);
});

Deno.test("channelStatistics() agrees with two passes in float64", () => {
  const bytes = Array.from({ length: 3000 }, (_, i) => (i * i * 7 + i) % 256);
  const { mean, std } = channelStatistics(split(bytes, [0]), 1);
  const expected = bytes.reduce((sum, value) => sum + value, 0) / bytes.length;
  const variance = bytes.reduce((sum, value) => sum + (value - expected) ** 2, 0) / bytes.length;
  assertAlmostEquals(mean[0]!, expected, 1e-9);
  assertAlmostEquals(std[0]!, Math.sqrt(variance), 1e-9);
});

Deno.test("channelStatistics() rejects an empty split and partial pixels", () => {
  assertThrows(() => channelStatistics(split([], []), 3), RangeError, "0 bytes");
  assertThrows(() => channelStatistics(split([1, 2, 3, 4], [0]), 3), RangeError, "4 bytes");
});

Deno.test("fingerprintOf() changes with a byte, a label, a class name and a split, with nothing else", () => {
  const base: Omit<Dataset, "fingerprint"> = {
    classes: ["a", "b"],
    side: 1,
    channels: 1,
    train: split([1, 2], [0, 1]),
    validation: split([3], [0]),
    test: null,
    broken: [],
    warnings: [],
  };
  const expected = fingerprintOf(base);
  assertEquals(
    fingerprintOf({ ...base, warnings: ["x"], broken: [{ file: "f", reason: "r" }] }),
    expected,
  );
  const variants: Partial<Dataset>[] = [
    { train: split([1, 3], [0, 1]) },
    { train: split([1, 2], [1, 1]) },
    { train: split([1, 2], [256, 1]) },
    { classes: ["a", "c"] },
    { train: split([1], [0]), validation: split([2, 3], [1, 0]) },
    { validation: split([], []), test: split([3], [0]) },
  ];
  for (const variant of variants) assertNotEquals(fingerprintOf({ ...base, ...variant }), expected);
});
