import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { openGpu } from "../gpu/device.ts";
import { Graph } from "./graph.ts";
import { Engine } from "./engine.ts";
import { initialValues } from "./parameters.ts";
import { flatten } from "../ops/flatten/flatten.ts";
import { gemm } from "../ops/gemm/gemm.ts";
import { imageShape } from "../ops/op.ts";
import { softmaxCrossEntropy } from "../ops/softmax_cross_entropy/softmax_cross_entropy.ts";

/** 8 x 8 -> 300 -> 6: fc1's 19,200 weights are more than one chunk. */
function twoLayers(): Graph {
  const net = new Graph("two layers", imageShape(1, 8, 8));
  const weightInit = { kind: "normal", std: 0.2 } as const;
  let x = net.add("flatten", flatten(), net.input);
  x = net.add("fc1", gemm({ outputs: 300, weightInit }), x);
  x = net.add("fc2", gemm({ outputs: 6, weightInit }), x);
  net.add("loss", softmaxCrossEntropy(), x);
  return net;
}

function normOf(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

Deno.test("Engine.keepNorms() are the norms of weights, gradients and momenta after a step", async () => {
  const gpu = await openGpu();
  const engine = await Engine.create(gpu, twoLayers(), {
    batch: 3,
    preprocess: { side: 8, crop: 8, channels: 1, mean: [0], std: [1] },
    momentum: 0.9,
    decay: 0.01,
  });
  engine.loadParameters(initialValues(engine.arena, 1));
  const images = Float32Array.from({ length: 3 * 64 }, (_, i) => Math.sin(i * i));
  const batch = { images, labels: Uint32Array.of(1, 0, 5) };
  engine.trainStep(batch, { learningRate: 0.1, seed: 1, step: 0 });
  const read = engine.keepNorms();
  const [weights, gradients, momenta] = [
    await engine.readParameters(),
    await engine.readGradients(),
    await engine.readMomenta(),
  ];
  // A later step does not change what was kept.
  engine.trainStep(batch, { learningRate: 0.1, seed: 1, step: 1 });
  const norms = await read();
  assertEquals([...norms.keys()], ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]);
  for (const [name, { weight, gradient, update }] of norms) {
    const expected = [weights, gradients, momenta].map((values) => normOf(values.get(name)!));
    [weight, gradient, update].forEach((norm, i) =>
      assertAlmostEquals(norm, expected[i]!, 1e-5 * expected[i]!, name)
    );
    assert(gradient > 0 && update > 0);
  }
  engine.close();
  gpu.close();
});
