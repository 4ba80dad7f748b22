import { assertEquals } from "@std/assert";
import { openGpu } from "../../gpu/device.ts";
import { runDispatches } from "../../gpu/run_dispatches.ts";
import { Random } from "../../random.ts";
import { columnSum, sumOfParts } from "./reduce.ts";

const gpu = await openGpu();

/** Whole numbers: float32 sums of them are exact in any order. */
function integers(length: number, seed: number): Float32Array<ArrayBuffer> {
  const random = new Random(seed);
  return Float32Array.from({ length }, () => random.below(201) - 100);
}

function columnSums(values: Float32Array, columns: number): Float32Array<ArrayBuffer> {
  const sums = new Float32Array(columns);
  values.forEach((value, i) => sums[i % columns]! += value);
  return sums;
}

const cases = [[1, 4], [127, 8], [129, 4], [1000, 260], [40_000, 12], [3, 1028]] as const;
for (const [rows, columns] of cases) {
  for (const accumulate of [false, true]) {
    Deno.test(`columnSum() of ${rows} x ${columns}${accumulate ? ", adding" : ""}`, async () => {
      const from = integers(rows * columns, 1), to = integers(columns, 2);
      // Few workgroups in one dimension, so that wide sums fold into two.
      const names = { from: "from", scratch: "scratch", to: "to" } as const;
      const { dispatches, scratchBytes } = columnSum({
        ...{ rows, columns, accumulate, ...names },
        target: { maxWorkgroups: 4 },
      });
      const scratch = new Float32Array(Math.max(4, scratchBytes / 4)).fill(1e30);
      const after = await runDispatches<"from" | "scratch" | "to">(gpu, dispatches, {
        ...{ from, scratch, to },
      });
      const sums = columnSums(from, columns);
      assertEquals(after.to, sums.map((sum, i) => accumulate ? sum + to[i]! : sum));
    });
  }
}

for (const accumulate of [false, true]) {
  Deno.test(`sumOfParts()${accumulate ? ", adding" : ""}`, async () => {
    const [parts, floats] = [7, 1032];
    const from = integers(parts * floats, 3), to = integers(floats, 4);
    const dispatch = sumOfParts<"from" | "to">({
      ...{ parts, floats, accumulate, from: "from", to: "to" },
      maxWorkgroups: 2,
    });
    const after = await runDispatches(gpu, [dispatch], { from, to });
    const sums = columnSums(from, floats);
    assertEquals(after.to, sums.map((sum, i) => accumulate ? sum + to[i]! : sum));
  });
}

Deno.test("columnSum() gives equal bits for equal inputs", async () => {
  const random = new Random(5);
  const from = Float32Array.from({ length: 3000 * 8 }, () => random.normal());
  const { dispatches, scratchBytes } = columnSum<"from" | "scratch" | "to">({
    ...{ rows: 3000, columns: 8, accumulate: false, from: "from", scratch: "scratch", to: "to" },
    target: { maxWorkgroups: 65535 },
  });
  const run = async () => {
    const scratch = new Float32Array(scratchBytes / 4), to = new Float32Array(8);
    return (await runDispatches(gpu, dispatches, { from, scratch, to })).to;
  };
  assertEquals(await run(), await run());
});
