// AlexNet at its full size: one step of training under the limits that every WebGPU adapter has.
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertLess,
  assertLessOrEqual,
} from "@std/assert";
import * as ort from "onnxruntime-web";
import { recordToTensor } from "../../shared/image/preprocess.ts";
import { openGpu } from "../../training/gpu/device.ts";
import { Engine } from "../../training/graph/engine.ts";
import type { Graph } from "../../training/graph/graph.ts";
import { initialValues } from "../../training/graph/parameters.ts";
import { MODELS } from "../../training/models/models.ts";
import { exportOnnx, INPUT_NAME, OUTPUT_NAME } from "../../training/onnx/export.ts";
import { encodeOnnx } from "../../training/onnx/write.ts";
import { Random } from "../../training/random.ts";

ort.env.wasm.numThreads = 1; // more would leave workers behind, which the test runner reports

const BATCH = 2;
const CLASSES = 1000;
/** WebGPU's default maxStorageBufferBindingSize; the weights of fc6 are 144 MiB. */
const DEFAULT_BINDING = 128 * 2 ** 20;
const LEARNING_RATE = 0.01;

/** Pixels of a smooth picture and noise: [batch, side, side, 3]. */
function records(side: number): Uint8Array {
  const random = new Random(5);
  return Uint8Array.from({ length: BATCH * side * side * 3 }, (_, i) => {
    const column = Math.floor(i / 3) % side, row = Math.floor(i / (3 * side)) % side;
    return 128 + 80 * Math.sin(row / 17 + i % 3) * Math.cos(column / 23) + random.below(40);
  });
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

/** The evaluation's probabilities and loss are those of the exported network. */
async function assertSameAsOnnx(
  engine: Engine,
  graph: Graph,
  batch: { records: Uint8Array; labels: Uint32Array },
): Promise<void> {
  const { preprocess } = engine.options;
  const { crop } = preprocess;
  const images = new Float32Array(BATCH * 3 * crop * crop);
  const bytes = batch.records.length / BATCH;
  for (let i = 0; i < BATCH; i++) {
    const record = batch.records.subarray(i * bytes, (i + 1) * bytes);
    images.set(recordToTensor(record, preprocess), i * 3 * crop * crop);
  }
  await engine.takeTotals();
  // The central crops, whatever crops the batch has for training.
  engine.evaluateStep({ records: batch.records, labels: batch.labels }, BATCH);
  const probabilities = await engine.readProbabilities(BATCH);
  const { loss } = await engine.takeTotals();

  const parameters = await engine.readParameters();
  const model = exportOnnx(graph, parameters, { version: "0.0.0", metadata: {} });
  const session = await ort.InferenceSession.create(encodeOnnx(model));
  const input = new ort.Tensor("float32", images, [BATCH, 3, crop, crop]);
  const outputs = await session.run({ [INPUT_NAME]: input });
  const expected = outputs[OUTPUT_NAME]!.data as Float32Array;
  await session.release();

  assertEquals(probabilities.length, expected.length);
  // Of a thousand probabilities none is far above 1/1000 here, so the distance is relative.
  const largest = expected.reduce((a, b) => Math.max(a, b));
  const differences = probabilities.map((p, i) => Math.abs(p - expected[i]!));
  assertLess(differences.reduce((a, b) => Math.max(a, b)) / largest, 1e-5);
  const logs = [...batch.labels].map((label, i) => Math.log(expected[i * CLASSES + label]!));
  assertAlmostEquals(loss, -logs.reduce((sum, log) => sum + log, 0), 1e-3);
}

Deno.test("alexnet makes a step at full size with bindings of at most 128 MiB", async () => {
  const { build, crop, channels, defaults: { side, momentum, decay } } = MODELS.alexnet;
  const adapter = await openGpu();
  const gpu = {
    ...adapter,
    maxBindingBytes: Math.min(adapter.maxBindingBytes, DEFAULT_BINDING),
  };
  const graph = build(CLASSES);
  const preprocess = { side, crop, channels, mean: [120, 115, 100], std: [58, 57, 58] };
  const engine = await Engine.create(gpu, graph, { batch: BATCH, preprocess, momentum, decay });
  try {
    const { forward, backward } = engine.trainingPlan;
    const bound = [...forward, ...backward].flatMap(({ bindings }) => bindings)
      .filter(({ buffer }) => buffer === "parameters" || buffer === "gradients");
    assert(bound.length > 0);
    for (const { size } of bound) assertLessOrEqual(size ?? Infinity, DEFAULT_BINDING);

    const initial = initialValues(engine.arena, 1);
    engine.loadParameters(initial);
    const batch = {
      records: records(side),
      labels: Uint32Array.of(3, 917),
      crops: Uint32Array.of(16 | 16 << 12, 5 | 30 << 12 | 1 << 24),
    };
    const step = async (index: number) => {
      const start = performance.now();
      engine.trainStep(batch, { learningRate: LEARNING_RATE, seed: 1, step: index });
      const totals = await engine.takeTotals();
      console.log(`step ${index}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
      return totals;
    };
    await assertSameAsOnnx(engine, graph, batch);
    await engine.takeTotals();
    const { images, loss } = await step(0);
    assertEquals(images, BATCH);
    // With no knowledge the loss is ln 1000. The logits' deviation is about one: 0.01 times the norm
    // of 2,048 undropped activations of about 2 * 1.2.
    assertAlmostEquals(loss / BATCH, Math.log(CLASSES), 1);

    const gradients = await engine.readGradients();
    assertEquals(gradients.size, 16);
    for (const [name, gradient] of gradients) {
      assertEquals(gradient.length, initial.get(name)!.length, name);
      const size = norm(gradient);
      assert(Number.isFinite(size) && size > 0, `${name}: the gradient's norm is ${size}`);
    }
    // A softmax's gradient sums to zero over the classes.
    const bias = gradients.get("fc8.bias")!;
    assertLess(Math.abs(bias.reduce((sum, value) => sum + value, 0)), 1e-5 * norm(bias) * CLASSES);

    // The first update from rest: w - rate * (gradient + decay * w), each by its multiplier.
    const updated = await engine.readParameters();
    for (const { name, spec } of engine.arena.slots) {
      const [before, gradient, after] = [initial, gradients, updated].map((all) => all.get(name)!);
      const { rateMultiplier, constantRate, decayMultiplier } = spec.update;
      const rate = constantRate ?? LEARNING_RATE * rateMultiplier;
      let [difference, step] = [0, 0];
      for (let i = 0; i < after!.length; i++) {
        const change = rate * (gradient![i]! + decay * decayMultiplier * before![i]!);
        difference = Math.max(difference, Math.abs(before![i]! - change - after![i]!));
        step = Math.max(step, Math.abs(change));
      }
      // Half a unit in the last place of weights up to 0.16, and of biases of one.
      assert(step > 0 && difference < 1.2e-7, `${name} is off by ${difference}`);
    }
    const again = await step(1);
    assert(
      Number.isFinite(again.loss) && again.loss < 2 * loss,
      `the second loss is ${again.loss}`,
    );
  } finally {
    engine.close();
    adapter.close();
  }
});
