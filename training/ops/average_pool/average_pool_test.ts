import { assertEquals, assertThrows } from "@std/assert";
import { readFixtureCases } from "../../../tests/fixtures/read_fixture.ts";
import { openGpu } from "../../gpu/device.ts";
import { checkGradients } from "../check_gradients.ts";
import { imageShape } from "../op.ts";
import { assertClose, randomTensor, runOp, type Tensor } from "../op_harness.ts";
import type { PoolAttributes } from "../pool_geometry.ts";
import { averagePool } from "./average_pool.ts";
import {
  averagePoolBackward,
  averagePoolForward,
  type PoolSizes,
} from "./average_pool_reference.ts";

const gpu = await openGpu();

type Four = readonly [number, number, number, number];

function sizesOf(attributes: PoolAttributes, input: Tensor): PoolSizes {
  const [, channels, height, width] = input.shape as Four;
  const [output] = averagePool(attributes).outputShapes([imageShape(channels, height, width)]);
  return {
    kernel: attributes.kernel,
    strides: attributes.strides ?? attributes.kernel,
    pads: attributes.pads ?? [0, 0],
    output: [output!.height, output!.width],
  };
}

const three: PoolAttributes = { kernel: [3, 3], strides: [2, 2] };
const cases: [string, PoolAttributes, Four][] = [
  ["overlapping", three, [2, 6, 7, 5]],
  ["overlapping, rounded up", { ...three, ceilMode: true }, [2, 5, 8, 6]],
  ["padded", { ...three, pads: [1, 1, 1, 1] }, [1, 3, 7, 5]],
  ["padded on two sides", { ...three, pads: [2, 0, 1, 2], ceilMode: true }, [3, 1, 8, 7]],
  ["apart", { kernel: [2, 2] }, [2, 16, 7, 5]],
  ["with gaps", { kernel: [2, 1], strides: [3, 2] }, [2, 10, 9, 8]],
  ["each step", { kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] }, [1, 4, 6, 5]],
  ["of unequal sides", { kernel: [5, 2], strides: [2, 3], pads: [3, 1, 4, 0] }, [2, 5, 9, 8]],
  ["of the whole image", { kernel: [7, 5] }, [3, 48, 7, 5]],
];

for (const [name, attributes, shape] of cases) {
  Deno.test(`averagePool() equals its reference: windows ${name}`, async () => {
    const input = randomTensor(shape, 1);
    const sizes = sizesOf(attributes, input);
    const expected = averagePoolForward(input, sizes);
    const gradOutput = randomTensor(expected.shape, 2);
    const result = await runOp(gpu, averagePool(attributes), {
      inputs: [input],
      gradOutputs: [gradOutput],
    });
    assertEquals(result.outputs[0]!.shape, expected.shape);
    assertClose(result.outputs[0]!.data, expected.data, { relative: 1e-6 });
    const gradient = averagePoolBackward(input, gradOutput, sizes);
    assertClose(result.gradInputs[0]!.data, gradient.data, { relative: 1e-6 });
  });

  if (shape[1] > 6) continue;
  Deno.test(`averagePool reference agrees with finite differences: windows ${name}`, () => {
    const input = randomTensor([1, 2, shape[2], shape[3]], 1);
    const sizes = sizesOf(attributes, input);
    checkGradients(
      ([x]) => [averagePoolForward(x!, sizes)],
      ([x], [g]) => [averagePoolBackward(x!, g!, sizes)],
      [input],
      { step: 0.1 },
    );
  });
}

for (const { name, attributes, tensors } of await readFixtureCases("average_pool")) {
  Deno.test(`averagePool() equals PyTorch: ${name}`, async () => {
    const op = averagePool({
      kernel: attributes.kernel_shape as [number, number],
      strides: attributes.strides as [number, number],
      pads: attributes.pads as [number, number, number, number],
      ceilMode: attributes.ceil_mode === 1,
    });
    const result = await runOp(gpu, op, {
      inputs: [tensors.get("input")!],
      gradOutputs: [tensors.get("gradOutput")!],
    });
    assertClose(result.outputs[0]!.data, tensors.get("output")!.data, { relative: 1e-6 });
    assertClose(result.gradInputs[0]!.data, tensors.get("gradInput")!.data, { relative: 1e-6 });
  });
}

Deno.test("averagePool() divides a window that overhangs by the places it has", async () => {
  const input = { shape: [1, 4, 3, 3], data: new Float32Array(36).fill(5) };
  for (const over of [{ ceilMode: true }, { pads: [1, 1, 0, 0] as const }]) {
    const op = averagePool({ kernel: [2, 2], ...over });
    const result = await runOp(gpu, op, { inputs: [input] });
    assertEquals(result.outputs[0]!.data, new Float32Array(16).fill(5));
  }
});

Deno.test("averagePool().toOnnx() leaves padding out of the mean, sizes rounded down", () => {
  for (const [, attributes, [, channels, height, width]] of cases) {
    const op = averagePool(attributes);
    const inputShapes = [imageShape(channels, height, width)];
    const outputShapes = op.outputShapes(inputShapes);
    const { nodes } = op.toOnnx({
      name: "p",
      inputs: ["x"],
      outputs: ["y"],
      inputShapes,
      outputShapes,
      parameters: [],
    });
    assertEquals(nodes[0]!.opType, "AveragePool");
    assertEquals(nodes[0]!.attributes.count_include_pad, { int: 0 });
    assertEquals(nodes[0]!.attributes.kernel_shape, { ints: attributes.kernel });
    const exported = nodes[0]!.attributes as Record<string, { ints: readonly number[] }>;
    const plain = averagePool({
      kernel: attributes.kernel,
      strides: exported.strides!.ints as [number, number],
      pads: exported.pads!.ints as Four,
    });
    assertEquals(plain.outputShapes(inputShapes), outputShapes);
  }
});

Deno.test("averagePool() refuses what it cannot do", () => {
  assertThrows(
    () => averagePool({ kernel: [2, 3], pads: [0, 0, 2, 0] }),
    RangeError,
    "Cannot make AveragePool: pads",
  );
  assertThrows(
    () => averagePool({ kernel: [3, 3] }).outputShapes([imageShape(1, 2, 5)]),
    RangeError,
    "Cannot apply AveragePool: a window of 3 does not fit",
  );
});
