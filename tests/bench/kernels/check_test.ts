import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { readFloats, storageBuffer } from "../../../training/gpu/buffers.ts";
import { openGpu } from "../../../training/gpu/device.ts";
import { PipelineCache } from "../../../training/gpu/pipelines.ts";
import { prepareDispatches } from "../../../training/gpu/prepare.ts";
import { imageShape } from "../../../training/ops/op.ts";
import { checkDirection, WrongResult } from "./check.ts";
import { GpuTimer } from "./gpu_timer.ts";
import { DIRECTIONS, LayerRun, submit } from "./layer_run.ts";
import { benchLayers } from "./layers.ts";
import { fillWithNoise, noiseAt } from "./noise.ts";

const gpu = await openGpu();

Deno.test("noise on the GPU is noise on the CPU, padding zero", async () => {
  const shape = imageShape(6, 2, 3);
  const buffer = storageBuffer(gpu.device, 2 * 2 * 3 * 8 * 4, "noise");
  const filling = fillWithNoise(buffer, shape, { batch: 2, seed: 5, maxWorkgroups: 65535 });
  const pipelines = new PipelineCache(gpu.device);
  const bufferOf = (own: GPUBuffer) => own;
  submit(gpu.device, await prepareDispatches(gpu.device, pipelines, [filling], bufferOf), 1);
  const numbers = await readFloats(gpu.device, buffer);
  const at = { image: 1, channel: 4, y: 1, x: 2 };
  assertEquals(numbers[((2 + 1) * 3 + 2) * 8 + 4], noiseAt(shape, 5, at));
  assertEquals([...numbers.slice(6, 8)], [0, 0]);
  const mean = numbers.reduce((sum, value) => sum + value, 0) / 72;
  assertAlmostEquals(mean, 0, 0.3);
});

// A convolution with groups, one with strides and padding on two sides alone, a flattened input.
for (const name of ["alexnet conv1", "alexnet conv4", "alexnet fc8", "cifar10-18pct fc10"]) {
  const layer = benchLayers().find((each) => each.name === name)!;

  Deno.test(`checkDirection() believes ${name} after it ran, and not before`, async () => {
    const run = await LayerRun.create(gpu, layer, 2, new Map());
    for (const direction of DIRECTIONS) {
      await assertRejects(() => checkDirection(run, direction), WrongResult, name);
      submit(gpu.device, run.dispatches(direction), 1);
      await checkDirection(run, direction);
    }
    run.close();
  });
}

Deno.test("GpuTimer: twice the work takes longer than once", async () => {
  const layer = benchLayers().find(({ name }) => name === "cifar10-18pct conv2")!;
  const run = await LayerRun.create(gpu, layer, 8, new Map());
  const timer = new GpuTimer(gpu);
  const forward = run.dispatches("forward");
  const options = { runs: 5, milliseconds: 1 };
  const once = Math.min(...await timer.times(forward, options));
  const eight = Math.min(...await timer.times(Array(8).fill(forward).flat(), options));
  timer.close();
  run.close();
  assertEquals(eight > 2 * once, true, `${once} ms, eight times ${eight} ms`);
});
