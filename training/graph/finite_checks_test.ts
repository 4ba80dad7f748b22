import { assertEquals } from "@std/assert";
import { tinyConfig, tinyDataset, tinyEngine } from "../fixtures/tiny.ts";
import { openGpu } from "../gpu/device.ts";
import type { ParameterValues } from "./parameters.ts";

const gpu = await openGpu();
const dataset = tinyDataset();
const AT = { learningRate: 0.01, seed: 1, step: 0 };
/** Ready images [8, 1, 8, 8] of one value. */
const imagesOf = (value: number) => ({
  images: new Float32Array(8 * 64).fill(value),
  labels: Uint32Array.from({ length: 8 }, (_, i) => i % 6),
});

async function firstOf(
  value: number,
  change: (parameters: ParameterValues) => void,
  options: { readonly learningRate?: number; readonly partSize?: number } = {},
) {
  const engine = await tinyEngine(gpu, dataset, tinyConfig());
  try {
    const parameters = await engine.readParameters();
    change(parameters);
    engine.loadParameters(parameters);
    const at = { ...AT, learningRate: options.learningRate ?? AT.learningRate };
    return await engine.checkedStep(imagesOf(value), at);
  } finally {
    engine.close();
  }
}

Deno.test("Engine.checkedStep() is a step to the bit, and finds nothing where all is finite", async () => {
  const [plain, checked] = [
    await tinyEngine(gpu, dataset, tinyConfig()),
    await tinyEngine(gpu, dataset, tinyConfig()),
  ];
  for (let step = 0; step < 3; step++) {
    plain.trainStep(imagesOf(0.5), { ...AT, step });
    assertEquals(await checked.checkedStep(imagesOf(0.5), { ...AT, step }), null);
  }
  assertEquals(await checked.readParameters(), await plain.readParameters());
  assertEquals(await checked.readMomenta(), await plain.readMomenta());
  plain.close();
  checked.close();
});

Deno.test("Engine.checkedStep() names the first tensor of the graph that is not finite", async () => {
  const forward = await firstOf(1, (p) => p.get("conv.weight")!.fill(Infinity));
  assertEquals(forward, { what: "the activation of conv", direction: "forward" });

  const deeper = await firstOf(1, (p) => p.get("fc.bias")!.set([Infinity], 2));
  assertEquals(deeper, { what: "the activation of fc", direction: "forward" });

  // Activations of 1 and gradients of some 100 are finite, their products with pixels of 1e38 are not.
  const backward = await firstOf(1e38, (p) => {
    p.get("conv.weight")!.fill(0);
    p.get("conv.bias")!.fill(1);
    p.set("fc.weight", p.get("fc.weight")!.map((weight) => 1e4 * weight));
  });
  assertEquals(backward, { what: "the gradient of conv.weight", direction: "backward" });

  // max(0, NaN) is 0 in this driver's ReLU: the loss is finite, and the weights are seen all the same.
  const hidden = await firstOf(1, (p) => p.get("conv.weight")!.fill(Number.NaN));
  assertEquals(hidden, { what: "conv.weight", direction: "update" });

  const update = await firstOf(1e30, (p) => {
    p.get("conv.weight")!.fill(0);
    p.get("conv.bias")!.fill(1);
  }, { learningRate: 3e38 });
  assertEquals(update?.direction, "update");
});
