import { assertEquals, assertThrows } from "@std/assert";
import { readFixtureCases } from "../../../tests/fixtures/read_fixture.ts";
import { openGpu } from "../../gpu/device.ts";
import { checkGradients } from "../check_gradients.ts";
import { imageShape } from "../op.ts";
import { assertClose, randomTensor, runOp } from "../op_harness.ts";
import { sameMapLrn, type SameMapLrnAttributes } from "./same_map_lrn.ts";
import { sameMapLrnBackward, sameMapLrnForward } from "./same_map_lrn_reference.ts";

const gpu = await openGpu();

const alexnet: SameMapLrnAttributes = { size: 5, alpha: 1e-3, beta: 0.75, bias: 1 };
/** With which the neighbours of a place change it by much. */
const strong: SameMapLrnAttributes = { size: 3, alpha: 0.8, beta: 0.75, bias: 1 };

const cases: [string, SameMapLrnAttributes, number[]][] = [
  ["one pixel", strong, [2, 4, 1, 1]],
  ["one row", strong, [1, 3, 1, 7]],
  ["a square larger than the map", { ...strong, size: 7 }, [2, 5, 3, 4]],
  ["as in alexnet", alexnet, [1, 32, 27, 27]],
  ["several images", strong, [3, 6, 5, 7]],
  ["a square of one", { ...strong, size: 1 }, [1, 10, 3, 5]],
  ["a square of five", { ...strong, size: 5 }, [2, 10, 9, 6]],
  ["beta 0.5", { ...strong, beta: 0.5 }, [1, 8, 3, 5]],
  ["beta 0.6, bias 2", { ...strong, beta: 0.6, bias: 2 }, [1, 8, 3, 5]],
];

for (const [name, attributes, shape] of cases) {
  Deno.test(`sameMapLrn() equals its reference: ${name}`, async () => {
    const input = randomTensor(shape, 1, attributes.alpha < 0.01 ? 30 : 3);
    const gradOutput = randomTensor(shape, 2);
    const result = await runOp(gpu, sameMapLrn(attributes), {
      inputs: [input],
      gradOutputs: [gradOutput],
    });
    assertClose(result.outputs[0]!.data, sameMapLrnForward(input, attributes).data);
    const gradient = sameMapLrnBackward(input, gradOutput, attributes);
    assertClose(result.gradInputs[0]!.data, gradient.data);
  });

  Deno.test(`sameMapLrn reference agrees with finite differences: ${name}`, () => {
    const [, , height, width] = shape;
    checkGradients(
      ([x]) => [sameMapLrnForward(x!, attributes)],
      ([x], [g]) => [sameMapLrnBackward(x!, g!, attributes)],
      [randomTensor([1, 2, Math.min(height!, 6), Math.min(width!, 6)], name.length, 2)],
    );
  });
}

for (const { name, attributes, tensors } of await readFixtureCases("same_map_lrn")) {
  Deno.test(`sameMapLrn() equals PyTorch: ${name}`, async () => {
    const result = await runOp(gpu, sameMapLrn(attributes as unknown as SameMapLrnAttributes), {
      inputs: [tensors.get("input")!],
      gradOutputs: [tensors.get("gradOutput")!],
    });
    assertClose(result.outputs[0]!.data, tensors.get("output")!.data);
    assertClose(result.gradInputs[0]!.data, tensors.get("gradInput")!.data);
  });
}

Deno.test("sameMapLrn().toOnnx() divides by a power of the mean of the squares", () => {
  const shapes = [imageShape(8, 5, 5)];
  const { nodes, initializers } = sameMapLrn(alexnet).toOnnx({
    name: "n",
    inputs: ["x"],
    outputs: ["y"],
    inputShapes: shapes,
    outputShapes: shapes,
    parameters: [],
  });
  assertEquals(nodes.map(({ opType, inputs, outputs }) => [opType, inputs, outputs]), [
    ["Mul", ["x", "x"], ["n/squares"]],
    ["AveragePool", ["n/squares"], ["n/mean"]],
    ["Mul", ["n/mean", "n/alpha"], ["n/scaled"]],
    ["Add", ["n/scaled", "n/bias"], ["n/base"]],
    ["Pow", ["n/base", "n/beta"], ["n/power"]],
    ["Div", ["x", "n/power"], ["y"]],
  ]);
  assertEquals(nodes[1]!.attributes, {
    kernel_shape: { ints: [5, 5] },
    strides: { ints: [1, 1] },
    pads: { ints: [2, 2, 2, 2] },
    count_include_pad: { int: 1 },
  });
  assertEquals(
    initializers.map(({ name, data }) => [name, data[0]]),
    [["n/alpha", Math.fround(1e-3)], ["n/bias", 1], ["n/beta", 0.75]],
  );
});

Deno.test("sameMapLrn() refuses what it cannot do", () => {
  for (const size of [0, 2, 2.5, -1]) {
    assertThrows(() => sameMapLrn({ ...alexnet, size }), RangeError, "size");
  }
  for (const bad of [{ bias: 0 }, { alpha: -1 }, { beta: NaN }]) {
    assertThrows(() => sameMapLrn({ ...alexnet, ...bad }), RangeError, "Cannot make SameMapLRN");
  }
});
