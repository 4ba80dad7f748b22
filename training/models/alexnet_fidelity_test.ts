/**
 * Each detail in which AlexNet's code, or the text of the paper, is easily missed: `alexnet` has the
 * code's, `alexnet-paper` the text's where they differ.
 */
import { assertEquals } from "@std/assert";
import type { GraphNode } from "../graph/graph.ts";
import { layOutParameters } from "../graph/parameters.ts";
import { normalize } from "../normalization.ts";
import { updateRule } from "../ops/op.ts";
import { MODELS } from "./models.ts";
import { AS_PUBLISHED, type Variant } from "./variant.ts";

const code = MODELS.alexnet.build(1000);
const paper = MODELS["alexnet-paper"].build(1000);

function nodeOf({ nodes }: typeof code, name: string): GraphNode {
  return nodes.find((node) => node.name === name)!;
}

function onnxOf({ name, op, inputs, outputs }: GraphNode) {
  return op.toOnnx({
    name,
    inputs: ["x"],
    outputs: ["y"],
    inputShapes: inputs.map(({ shape }) => shape),
    outputShapes: outputs.map(({ shape }) => shape),
    parameters: [],
  });
}

const sizeOf = (name: string) => {
  const { channels, height, width } = nodeOf(code, name).outputs[0]!.shape;
  return [channels, height, width];
};

Deno.test("alexnet rounds sizes up: 224 gives 55, 27, 13 and 6", () => {
  assertEquals(["conv1", "pool1", "pool2", "pool5"].map(sizeOf), [
    [96, 55, 55],
    [96, 27, 27],
    [256, 13, 13],
    [256, 6, 6],
  ]);
});

Deno.test("alexnet normalises within each tower, alpha divided by the window", () => {
  const attributes = {
    size: { int: 5 },
    alpha: { float: 1e-4 },
    beta: { float: 0.75 },
    bias: { float: 2 },
  };
  for (const [name, channels] of [["norm1", 48n], ["norm2", 128n]] as const) {
    const { nodes, initializers } = onnxOf(nodeOf(code, name));
    assertEquals(nodes.map(({ opType }) => opType), ["Split", "LRN", "LRN", "Concat"]);
    assertEquals(nodes[1]!.attributes, attributes);
    assertEquals(initializers[0]!.data, BigInt64Array.of(channels, channels));
    // ONNX divides by the window, the paper's formula does not.
    const text = onnxOf(nodeOf(paper, name)).nodes[1]!.attributes;
    assertEquals(text, { ...attributes, alpha: { float: 5e-4 } });
  }
});

Deno.test("alexnet has the layers in the order of the code, alexnet-paper of the text", () => {
  const early = (graph: typeof code) => graph.nodes.slice(0, 9).map(({ name }) => name);
  assertEquals(early(code), [
    ...["conv1", "norm1", "pool1", "relu1"],
    ...["conv2", "relu2", "norm2", "map2", "pool2"],
  ]);
  assertEquals(early(paper), [
    ...["conv1", "relu1", "norm1", "pool1"],
    ...["conv2", "relu2", "norm2", "pool2", "conv3"],
  ]);
});

Deno.test("alexnet normalises within maps by 1e-3 / 25 of a 5x5 square, to the power 0.75", () => {
  const { nodes, initializers } = onnxOf(nodeOf(code, "map2"));
  assertEquals(nodes[1]!.attributes!.kernel_shape, { ints: [5, 5] });
  const values = initializers.map(({ name, data }) => [name, data[0]]);
  assertEquals(values, [["map2/alpha", Math.fround(1e-3)], ["map2/bias", 1], ["map2/beta", 0.75]]);
});

Deno.test("alexnet starts from the deviations and biases of the code, or of the text", () => {
  const starts = (graph: typeof code) =>
    layOutParameters(graph).slots.map(({ name, spec: { init } }) => [
      name,
      init.kind === "normal" ? init.std : init.value,
    ]);
  const expected = (inner: number) =>
    [
      ...[["conv1", 0.01, 0], ["conv2", 0.01, 1], ["conv3", inner, 0], ["conv4", inner, 1]],
      ...[["conv5", inner, 1], ["fc6", 0.01, 1], ["fc7", 0.01, 1], ["fc8", 0.01, 0]],
    ].flatMap(([layer, std, bias]) => [[`${layer}.weight`, std], [`${layer}.bias`, bias]]);
  assertEquals(starts(code), expected(0.03));
  assertEquals(starts(paper), expected(0.01));
});

Deno.test("alexnet's biases learn at 0.002 and do not decay, alexnet-paper's are as its weights", () => {
  const biases = updateRule({ constantRate: 0.002, decayMultiplier: 0 });
  for (const { spec } of layOutParameters(code).slots) {
    assertEquals(spec.update, spec.name === "bias" ? biases : updateRule());
  }
  for (const { spec } of layOutParameters(paper).slots) assertEquals(spec.update, updateRule());
});

Deno.test("alexnet's dropout is not inverted: evaluation halves", () => {
  for (const name of ["drop6", "drop7"]) {
    const { nodes, initializers } = onnxOf(nodeOf(code, name));
    assertEquals([nodes[0]!.opType, initializers[0]!.data[0]], ["Mul", 0.5]);
  }
});

Deno.test("alexnet trains by section 5 of the paper and on its pictures", () => {
  for (const name of ["alexnet", "alexnet-paper"] as const) {
    const { defaults, crop } = MODELS[name];
    const { learningRate, batchSize, momentum, decay, epochs, schedule, drops } = defaults;
    assertEquals(
      { learningRate, batchSize, momentum, decay, epochs, schedule, drops },
      {
        ...{ learningRate: 0.01, batchSize: 128, momentum: 0.9, decay: 0.0005, epochs: 90 },
        ...{ schedule: "plateau", drops: 3 },
      },
    );
    const { side, randomCrop, flip, colorNoise, mean, standardize } = defaults;
    assertEquals(
      { crop, side, randomCrop, flip, colorNoise, mean, standardize },
      {
        ...{ crop: 224, side: 256, randomCrop: true, flip: true, colorNoise: 0.1 },
        ...{ mean: "image", standardize: false },
      },
    );
  }
});

Deno.test("alexnet subtracts the mean image and leaves pixels their scale", () => {
  const meanImage = Float32Array.from({ length: 256 * 256 * 3 }, (_, i) => i % 7);
  const eigen = { values: [1, 1, 1], vectors: [[1, 0, 0], [0, 1, 0], [0, 0, 1]] };
  const statistics = {
    mean: [1, 2, 3],
    std: [60, 61, 62],
    meanImage,
    eigen,
  } as unknown as Parameters<typeof normalize>[0];
  const { std, meanCrop } = normalize(statistics, MODELS.alexnet.defaults, 224);
  assertEquals(std, [1, 1, 1]);
  assertEquals(meanCrop![0], meanImage[(16 * 256 + 16) * 3]);
});

Deno.test("alexnet without normalisation has neither kind, as in the authors' own comparison", () => {
  const variant: Variant = { ...AS_PUBLISHED, lrn: false };
  const types = MODELS.alexnet.build(1000, variant).nodes.map(({ op }) => op.type);
  assertEquals(types.filter((type) => /LRN/.test(type)), []);
});
