import { assertEquals, assertNotEquals } from "@std/assert";
import { type Dataset, fingerprintOf, memorySplit } from "./dataset.ts";

const split = (records: number[], labels: number[]) =>
  memorySplit(Uint8Array.from(records), Uint32Array.from(labels));

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
