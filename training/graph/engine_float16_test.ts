/** What float16 changes of an engine: overflow, the loss scale, determinism, evaluation in float32. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { openGpu } from "../gpu/device.ts";
import { assertClose, randomTensor } from "../ops/op_harness.ts";
import { branchingGraph, CHANNELS, CLASSES, SIDE } from "./branching_graph.ts";
import { Engine } from "./engine.ts";
import type { EngineOptions } from "./engine_options.ts";
import { initialValues } from "./parameters.ts";

const gpu = await openGpu();
const BATCH = 6;
const OPTIONS: EngineOptions = {
  batch: BATCH,
  preprocess: { side: SIDE, crop: SIDE, channels: CHANNELS, mean: [0, 0, 0], std: [1, 1, 1] },
  momentum: 0.9,
  decay: 0.01,
  precision: "f16",
};
const batch = {
  images: Float32Array.from(randomTensor([BATCH, CHANNELS, SIDE, SIDE], 1).data),
  labels: Uint32Array.from({ length: BATCH }, (_, i) => i * 5 % CLASSES),
};
const at = (step: number) => ({ learningRate: 0.05, seed: 7, step });

async function open(options: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await Engine.create(gpu, branchingGraph(), { ...OPTIONS, ...options });
  engine.loadParameters(initialValues(engine.arena, 5));
  return engine;
}

Deno.test("Engine skips a step whose gradients overflow, to the bit, and recovers", async () => {
  const engine = await open();
  engine.trainStep(batch, at(0));
  const [weights, momenta] = [await engine.readParameters(), await engine.readMomenta()];
  const huge = 2 ** 24;
  engine.loadLossScale({ scale: huge, goodSteps: 9, skipped: 0 });
  engine.trainStep(batch, at(1));
  assertEquals(await engine.readLossScale(), { scale: huge / 2, goodSteps: 0, skipped: 1 });
  assertEquals(await engine.readParameters(), weights);
  assertEquals(await engine.readMomenta(), momenta);
  let steps = 1;
  for (; (await engine.readLossScale()).goodSteps === 0; steps++) {
    assert(steps < 24, "the scale does not recover");
    engine.trainStep(batch, at(1));
  }
  const { scale, skipped } = await engine.readLossScale();
  assertEquals(skipped, steps - 1);
  assertEquals(scale, huge / 2 ** skipped);
  const moved = await engine.readParameters();
  for (const [name, values] of moved) {
    assert(values.every(Number.isFinite), name);
    assert(values.some((value, i) => value !== weights.get(name)![i]), `${name} stays`);
  }
  engine.close();
});

for (const partSize of [BATCH, BATCH / 2]) {
  Deno.test(`Engine in float16 has float32's gradients, parts of ${partSize}`, async () => {
    const half = await open({ partSize }), whole = await open({ precision: "f32" });
    for (const engine of [half, whole]) engine.trainStep(batch, at(0), { update: false });
    const expected = await whole.readGradients();
    for (const [name, gradient] of await half.readGradients()) {
      // Some ten roundings of 2^-11 one after another.
      assertClose(gradient, expected.get(name)!, { relative: 10 * 2 ** -11, message: name });
    }
    half.close();
    whole.close();
  });
}

Deno.test("Engine in float16 gives equal bits, and goes on from a saved scale to the bit", async () => {
  const [one, other] = [await open(), await open()];
  for (let step = 0; step < 4; step++) one.trainStep(batch, at(step));
  for (let step = 0; step < 2; step++) other.trainStep(batch, at(step));
  const resumed = await open();
  resumed.loadParameters(await other.readParameters());
  resumed.loadMomenta(await other.readMomenta());
  resumed.loadLossScale(await other.readLossScale());
  for (const engine of [other, resumed]) {
    for (let step = 2; step < 4; step++) engine.trainStep(batch, at(step));
    assertEquals(await engine.readParameters(), await one.readParameters());
    assertEquals(await engine.readLossScale(), await one.readLossScale());
    engine.close();
  }
  one.close();
});

Deno.test("Engine refuses float16 on an adapter without it", async () => {
  await assertRejects(
    () => Engine.create({ ...gpu, hasFloat16: false }, branchingGraph(), OPTIONS),
    Error,
    "has no shader-f16 (use --precision f32)",
  );
});
