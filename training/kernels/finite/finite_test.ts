import { assertEquals } from "@std/assert";
import { openGpu } from "../../gpu/device.ts";
import { runDispatches } from "../../gpu/run_dispatches.ts";
import { checkFinite } from "./finite.ts";

const gpu = await openGpu();

Deno.test("checkFinite() sets the flag on infinities and NaN alone, anywhere in the range", async () => {
  const words = 70_000;
  const cases: [number, number, number][] = [
    [Number.NaN, words - 1, 1],
    [Infinity, 0, 1],
    [-Infinity, 12_345, 1],
    [3.4028234663852886e38, 7, 0],
    [-1e-45, 7, 0],
    // Behind the range.
    [Number.NaN, words, 0],
  ];
  for (const [value, at, expected] of cases) {
    const values = new Float32Array(words + 64);
    values[at] = value;
    const dispatch = checkFinite<"values" | "flags">({
      values: { buffer: "values", offset: 0, size: 4 * words },
      flags: "flags",
      flag: 2,
      maxWorkgroups: 100,
    });
    const after = await runDispatches(gpu, [dispatch], { values, flags: new Uint32Array(4) });
    const flags = new Uint32Array(after.flags.buffer);
    assertEquals([...flags], [0, 0, expected, 0], `${value} at ${at}`);
  }
});
