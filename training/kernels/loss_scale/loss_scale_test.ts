import { assertEquals } from "@std/assert";
import { openGpu } from "../../gpu/device.ts";
import type { Dispatch } from "../../gpu/kernel.ts";
import { runDispatches } from "../../gpu/run_dispatches.ts";
import {
  adaptLossScale,
  decodeLossScale,
  encodeLossScale,
  findOverflow,
  FIRST_LOSS_SCALE,
  LEAST_SCALE,
  type LossScale,
} from "./loss_scale.ts";

const gpu = await openGpu();
type Name = "gradients" | "lossScale";

async function after(
  state: LossScale,
  gradients: Float32Array<ArrayBuffer>,
  dispatches: readonly Dispatch<Name>[],
) {
  const lossScale = new Uint8Array(encodeLossScale(state));
  const { lossScale: result } = await runDispatches<Name>(gpu, dispatches, {
    gradients,
    lossScale,
  });
  const bytes = result.buffer as ArrayBuffer;
  const { ofGradients: _, ...rest } = decodeLossScale(bytes);
  return { ...rest, overflow: new Uint32Array(bytes)[4]! };
}

const LENGTH = 128 * 9;
const limits = { maxBindingBytes: 1500, maxWorkgroups: 3 };
const found = (at: number, value: number) => {
  const gradients = new Float32Array(LENGTH).fill(-3.4e38);
  if (at >= 0) gradients[at] = value;
  return after(FIRST_LOSS_SCALE, gradients, findOverflow(4 * LENGTH, limits));
};

Deno.test("findOverflow() sees infinities and NaN wherever they are, and nothing else", async () => {
  assertEquals((await found(-1, 0)).overflow, 0);
  for (const at of [0, 255, 256, 700, LENGTH - 1]) {
    for (const value of [Infinity, -Infinity, NaN]) {
      assertEquals((await found(at, value)).overflow, 1, `${value} at ${at}`);
    }
    for (const value of [1e-45, -0, 65520]) {
      assertEquals((await found(at, value)).overflow, 0, `${value} at ${at}`);
    }
  }
});

Deno.test("adaptLossScale() halves after an overflow and takes the flag down", async () => {
  const state = { scale: 1024, goodSteps: 7, skipped: 2 };
  const gradients = new Float32Array(LENGTH).fill(NaN);
  const step = [...findOverflow(4 * LENGTH, limits), adaptLossScale()];
  const expected = { scale: 512, goodSteps: 0, skipped: 3, overflow: 0 };
  assertEquals(await after(state, gradients, step), expected);
  const least = { ...state, scale: LEAST_SCALE };
  assertEquals((await after(least, gradients, step)).scale, LEAST_SCALE);
});

Deno.test("adaptLossScale() doubles after so many good steps", async () => {
  const gradients = new Float32Array(4);
  const adapt = adaptLossScale(3);
  const state = { scale: 1024, goodSteps: 0, skipped: 5 };
  const counts = [[1024, 1], [1024, 2], [2048, 0], [2048, 1]] as const;
  for (const [index, [scale, goodSteps]] of counts.entries()) {
    const steps = Array.from({ length: index + 1 }, () => adapt);
    const expected = { scale, goodSteps, skipped: 5, overflow: 0 };
    assertEquals(await after(state, gradients, steps), expected);
  }
  const most = { ...state, scale: 2 ** 24 };
  assertEquals((await after(most, gradients, [adapt, adapt, adapt])).scale, 2 ** 24);
});
