import { assert, assertEquals } from "@std/assert";
import { readFixture } from "../../tests/fixtures/read_fixture.ts";
import { tinyGraph } from "../fixtures/tiny.ts";
import { openGpu } from "../gpu/device.ts";
import { cifar10EighteenPercent } from "../models/cifar10_18pct.ts";
import { Random } from "../random.ts";
import type { Graph } from "./graph.ts";
import { initialValues, layOutParameters } from "./parameters.ts";
import { ScoreGradient } from "./score_gradient.ts";

Deno.test("ScoreGradient has PyTorch's gradient of class scores and its probabilities", async () => {
  const { tensors } = await readFixture("saliency");
  const network = await readFixture("cifar10_18pct");
  const parameters = new Map(
    [...network.tensors].filter(([name]) => name.startsWith("parameter/"))
      .map(([name, { data }]) => [name.slice("parameter/".length), data] as const),
  );
  const gpu = await openGpu();
  const graph = cifar10EighteenPercent.build(10);
  const runner = await ScoreGradient.create(gpu, graph, { images: 2, parameters });
  const images = network.tensors.get("inputs")!.data.subarray(0, 2 * 3 * 32 * 32);
  const labels = Uint32Array.from(tensors.get("labels")!.data);
  const { gradient, probabilities } = await runner.run(images, labels);
  runner.close();
  gpu.close();

  const expected = tensors.get("gradient")!.data;
  assertEquals(gradient.length, expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  const error = Math.max(...gradient.map((value, i) => Math.abs(value - expected[i]!)));
  assert(error < 1e-4 * largest, `gradients differ by ${error} of ${largest}`);
  const logits = tensors.get("logits")!.data;
  for (let image = 0; image < 2; image++) {
    const exps = [...logits.subarray(image * 10, image * 10 + 10)].map(Math.exp);
    const sum = exps.reduce((a, b) => a + b);
    exps.forEach((exp, c) => {
      const own = probabilities[image * 10 + c]!;
      assert(Math.abs(own - exp / sum) < 1e-5, `class ${c} of image ${image}: ${own}`);
    });
  }
});

Deno.test("ScoreGradient agrees with finite differences, dropout off", async () => {
  const gpu = await openGpu();
  const graph: Graph = tinyGraph();
  const parameters = initialValues(layOutParameters(graph), 3);
  const runner = await ScoreGradient.create(gpu, graph, { images: 1, parameters });
  const random = new Random(9);
  const image = Float32Array.from({ length: 64 }, () => random.normal());
  const [a, b] = [1, 4];
  /** Of the two classes' scores: what their probabilities tell of them. */
  const difference = async (pixels: Float32Array) => {
    const { probabilities } = await runner.run(pixels, Uint32Array.of(a));
    return Math.log(probabilities[a]! / probabilities[b]!);
  };
  const ofA = await runner.run(image, Uint32Array.of(a));
  const ofB = await runner.run(image, Uint32Array.of(b));
  assert(ofA.gradient.some((value) => Math.abs(value) > 1e-3));
  for (let pixel = 0; pixel < 64; pixel += 7) {
    const [above, below] = [image.slice(), image.slice()];
    above[pixel]! += 0.01;
    below[pixel]! -= 0.01;
    const slope = (await difference(above) - await difference(below)) /
      (above[pixel]! - below[pixel]!);
    const gradient = ofA.gradient[pixel]! - ofB.gradient[pixel]!;
    assert(Math.abs(slope - gradient) < 2e-3, `pixel ${pixel}: ${gradient}, not ${slope}`);
  }
  runner.close();
  gpu.close();
});
