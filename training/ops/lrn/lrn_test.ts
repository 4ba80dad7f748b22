import { assertEquals, assertThrows } from "@std/assert";
import { readFixtureCases } from "../../../tests/fixtures/read_fixture.ts";
import { openGpu } from "../../gpu/device.ts";
import { checkGradients } from "../check_gradients.ts";
import { imageShape } from "../op.ts";
import { assertClose, randomTensor, runOp } from "../op_harness.ts";
import { lrn, type LrnAttributes } from "./lrn.ts";
import { lrnBackward, lrnForward } from "./lrn_reference.ts";

const gpu = await openGpu();

const alexnet: LrnAttributes = { size: 5, alpha: 1e-4, beta: 0.75, bias: 2 };
/** With which the neighbours of a channel change it by much. */
const strong: LrnAttributes = { size: 5, alpha: 0.5, beta: 0.75, bias: 1 };

const cases: [string, LrnAttributes, number[]][] = [
  ["one channel", strong, [2, 1, 7, 5]],
  ["three channels", strong, [1, 3, 7, 5]],
  ["five channels", strong, [3, 5, 7, 5]],
  ["six channels", strong, [1, 6, 13, 13]],
  ["ten channels", strong, [2, 10, 3, 2]],
  ["48 channels", strong, [3, 48, 5, 1]],
  ["two towers of 48", { ...alexnet, towers: 2 }, [1, 96, 55, 55]],
  ["four towers of four", { ...strong, towers: 4 }, [2, 16, 3, 5]],
  ["a window of one", { ...strong, size: 1 }, [1, 10, 3, 5]],
  ["a window of three", { ...strong, size: 3 }, [2, 10, 3, 5]],
  ["a window of seven", { ...strong, size: 7 }, [2, 10, 3, 5]],
  ["a window of nine", { ...strong, size: 9, towers: 2 }, [2, 24, 3, 5]],
  ["beta 0.5", { ...strong, beta: 0.5 }, [1, 16, 3, 5]],
  ["beta 1", { ...strong, beta: 1 }, [1, 16, 3, 5]],
  ["beta 0.6", { ...strong, beta: 0.6 }, [1, 16, 3, 5]],
  ["beta 0", { ...strong, beta: 0 }, [1, 16, 3, 5]],
];

for (const [name, attributes, shape] of cases) {
  for (const family of ["software", "discrete"] as const) {
    Deno.test(`lrn() equals its reference: ${name}, ${family} kernels`, async () => {
      const scale = attributes.alpha < 0.01 ? 100 : 3;
      const input = randomTensor(shape, 1, scale), gradOutput = randomTensor(shape, 2);
      const result = await runOp(gpu, lrn(attributes), {
        inputs: [input],
        gradOutputs: [gradOutput],
        target: { family },
      });
      assertClose(result.outputs[0]!.data, lrnForward(input, attributes).data);
      assertClose(result.gradInputs[0]!.data, lrnBackward(input, gradOutput, attributes).data);
    });
  }
}

Deno.test("lrn reference agrees with finite differences", () => {
  for (const [name, attributes, [, channels]] of cases) {
    if (channels! > 48) continue;
    checkGradients(
      ([x]) => [lrnForward(x!, attributes)],
      ([x], [g]) => [lrnBackward(x!, g!, attributes)],
      [randomTensor([1, channels!, 2, 1], name.length, 2)],
    );
  }
});

for (const { name, attributes, tensors } of await readFixtureCases("lrn")) {
  Deno.test(`lrn() equals PyTorch: ${name}`, async () => {
    const { group, ...rest } = attributes as unknown as LrnAttributes & { group: number };
    const op = lrn({ ...rest, towers: group });
    const result = await runOp(gpu, op, {
      inputs: [tensors.get("input")!],
      gradOutputs: [tensors.get("gradOutput")!],
    });
    assertClose(result.outputs[0]!.data, tensors.get("output")!.data);
    assertClose(result.gradInputs[0]!.data, tensors.get("gradInput")!.data);
  });
}

const onnx = (attributes: LrnAttributes, channels: number) => {
  const shapes = [imageShape(channels, 3, 3)];
  return lrn(attributes).toOnnx({
    name: "norm1",
    inputs: ["x"],
    outputs: ["y"],
    inputShapes: shapes,
    outputShapes: shapes,
    parameters: [],
  });
};

Deno.test("lrn().toOnnx() is one LRN node", () => {
  const { nodes, initializers } = onnx(alexnet, 96);
  assertEquals(initializers, []);
  assertEquals(nodes, [{
    opType: "LRN",
    name: "norm1",
    inputs: ["x"],
    outputs: ["y"],
    attributes: {
      size: { int: 5 },
      alpha: { float: 1e-4 },
      beta: { float: 0.75 },
      bias: { float: 2 },
    },
  }]);
});

Deno.test("lrn().toOnnx() keeps towers apart by Split, LRN each and Concat", () => {
  const { nodes, initializers } = onnx({ ...alexnet, towers: 2 }, 96);
  assertEquals(nodes.map(({ opType, inputs, outputs }) => [opType, inputs, outputs]), [
    ["Split", ["x", "norm1/sizes"], ["norm1/tower0", "norm1/tower1"]],
    ["LRN", ["norm1/tower0"], ["norm1/normalised0"]],
    ["LRN", ["norm1/tower1"], ["norm1/normalised1"]],
    ["Concat", ["norm1/normalised0", "norm1/normalised1"], ["y"]],
  ]);
  assertEquals(new Set(nodes.map(({ name }) => name)).size, 4);
  assertEquals(initializers, [
    { name: "norm1/sizes", dims: [2], data: BigInt64Array.of(48n, 48n) },
  ]);
});

Deno.test("lrn() refuses what it cannot do", () => {
  for (const size of [0, 2, 11]) assertThrows(() => lrn({ ...alexnet, size }), RangeError, "size");
  for (const bad of [{ bias: 0 }, { alpha: -1 }, { beta: NaN }]) {
    assertThrows(() => lrn({ ...alexnet, ...bad }), RangeError, "Cannot make LRN");
  }
  for (const [channels, towers] of [[10, 4], [12, 2]] as const) {
    assertThrows(
      () => lrn({ ...alexnet, towers }).outputShapes([imageShape(channels, 2, 2)]),
      RangeError,
      "towers",
    );
  }
  const flat = { ...imageShape(16, 1, 1), flattened: imageShape(4, 2, 2) };
  assertThrows(() => lrn(alexnet).outputShapes([flat]), RangeError, "flattened");
});
