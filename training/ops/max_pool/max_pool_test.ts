import { assertEquals, assertThrows } from "@std/assert";
import { readFixtureCases } from "../../../tests/fixtures/read_fixture.ts";
import { openGpu } from "../../gpu/device.ts";
import { Random, shuffle } from "../../random.ts";
import { checkGradients } from "../check_gradients.ts";
import { imageShape } from "../op.ts";
import { assertClose, randomTensor, runOp, type Tensor } from "../op_harness.ts";
import type { PoolAttributes } from "../pool_geometry.ts";
import { maxPool } from "./max_pool.ts";
import { maxPoolBackward, maxPoolForward, type PoolSizes } from "./max_pool_reference.ts";

const gpu = await openGpu();

type Four = readonly [number, number, number, number];

function sizesOf(attributes: PoolAttributes, input: Tensor): PoolSizes {
  const [, channels, height, width] = input.shape as Four;
  const [output] = maxPool(attributes).outputShapes([imageShape(channels, height, width)]);
  return {
    kernel: attributes.kernel,
    strides: attributes.strides ?? attributes.kernel,
    pads: attributes.pads ?? [0, 0],
    output: [output!.height, output!.width],
  };
}

/** Distinct numbers a whole apart: no step of a finite difference changes a maximum. */
function distinct(shape: readonly number[], seed: number): Tensor {
  const length = shape.reduce((product, size) => product * size, 1);
  const order = shuffle(Uint32Array.from({ length }, (_, i) => i), new Random(seed));
  return { shape, data: Float32Array.from(order, (value) => value - length / 2) };
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
  ["of 256 numbers", { kernel: [16, 16], strides: [7, 5] }, [1, 3, 24, 27]],
  ["of the whole image", { kernel: [7, 5] }, [3, 48, 7, 5]],
];

for (const [name, attributes, shape] of cases) {
  Deno.test(`maxPool() equals its reference: windows ${name}`, async () => {
    const input = distinct(shape, 1);
    const sizes = sizesOf(attributes, input);
    const expected = maxPoolForward(input, sizes);
    const gradOutput = randomTensor(expected.shape, 2);
    const result = await runOp(gpu, maxPool(attributes), {
      inputs: [input],
      gradOutputs: [gradOutput],
    });
    assertEquals(result.outputs[0]!.shape, expected.shape);
    assertClose(result.outputs[0]!.data, expected.data, { relative: 0 });
    const gradient = maxPoolBackward(input, gradOutput, sizes);
    assertClose(result.gradInputs[0]!.data, gradient.data, { relative: 1e-6 });
  });

  if (shape[1] > 6) continue;
  Deno.test(`maxPool reference agrees with finite differences: windows ${name}`, () => {
    const input = distinct([1, 2, shape[2], shape[3]], 1);
    const sizes = sizesOf(attributes, input);
    checkGradients(
      ([x]) => [maxPoolForward(x!, sizes)],
      ([x], [g]) => [maxPoolBackward(x!, g!, sizes)],
      [input],
      { step: 0.1 },
    );
  });
}

for (const { name, attributes, tensors } of await readFixtureCases("max_pool")) {
  Deno.test(`maxPool() equals PyTorch: ${name}`, async () => {
    const op = maxPool({
      kernel: attributes.kernel_shape as [number, number],
      strides: attributes.strides as [number, number],
      pads: attributes.pads as [number, number, number, number],
      ceilMode: attributes.ceil_mode === 1,
    });
    const result = await runOp(gpu, op, {
      inputs: [tensors.get("input")!],
      gradOutputs: [tensors.get("gradOutput")!],
    });
    assertClose(result.outputs[0]!.data, tensors.get("output")!.data, { relative: 0 });
    assertClose(result.gradInputs[0]!.data, tensors.get("gradInput")!.data, { relative: 1e-6 });
  });
}

Deno.test("maxPool() takes the first of equal numbers, as PyTorch does", async () => {
  const input = { shape: [1, 4, 4, 4], data: new Float32Array(64).fill(-7) };
  const gradOutput = { shape: [1, 4, 1, 1], data: Float32Array.of(1, 2, 3, 4) };
  const result = await runOp(gpu, maxPool({ kernel: [3, 3] }), {
    inputs: [input],
    gradOutputs: [gradOutput],
  });
  const expected = new Float32Array(64);
  [1, 2, 3, 4].forEach((gradient, channel) => expected[channel * 16] = gradient);
  assertEquals(result.gradInputs[0]!.data, expected);
});

Deno.test("maxPool() with a fused Relu stores max(0, x)", async () => {
  const input = randomTensor([2, 5, 7, 5], 3);
  const result = await runOp(gpu, maxPool(three), { inputs: [input], fusedRelu: true });
  const expected = maxPoolForward(input, sizesOf(three, input)).data.map((x) => Math.max(0, x));
  assertClose(result.outputs[0]!.data, expected, { relative: 0 });
});

Deno.test("maxPool().outputShapes() gives AlexNet's sizes", () => {
  const up: PoolAttributes = { ...three, ceilMode: true };
  for (const [size, expected] of [[55, 27], [27, 13], [13, 6]] as const) {
    for (const attributes of [three, up]) {
      assertEquals(maxPool(attributes).outputShapes([imageShape(96, size, size)]), [
        imageShape(96, expected, expected),
      ]);
    }
  }
  // GoogLeNet: 112 → 56 → 28 → 14 → 7 by windows of three, rounded up.
  for (const size of [112, 56, 28, 14]) {
    assertEquals(maxPool(up).outputShapes([imageShape(8, size, size)])[0]!.height, size / 2);
  }
});

Deno.test("maxPool() drops a window that would begin in the padding at the end", () => {
  const op = maxPool({ kernel: [2, 2], strides: [2, 2], pads: [1, 1, 1, 1], ceilMode: true });
  // 1 + 3 + 1 by steps of two: windows begin at 0 and 2, a third at 4 would see padding alone.
  assertEquals(op.outputShapes([imageShape(1, 3, 3)])[0]!.height, 2);
});

Deno.test("maxPool().toOnnx() writes padding that gives the same sizes rounded down", () => {
  for (const [, attributes, [, channels, height, width]] of cases) {
    const op = maxPool(attributes);
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
    const exported = nodes[0]!.attributes as Record<string, { ints: readonly number[] }>;
    const pads = exported.pads!.ints as Four;
    const strides = exported.strides!.ints as [number, number];
    const plain = maxPool({ kernel: attributes.kernel, strides, pads });
    assertEquals(plain.outputShapes(inputShapes), outputShapes);
    assertEquals(nodes[0]!.attributes.kernel_shape, { ints: attributes.kernel });
  }
});

Deno.test("maxPool() refuses what it cannot do", () => {
  assertThrows(() => maxPool({ kernel: [17, 16] }), RangeError, "too large");
  assertThrows(() => maxPool({ kernel: [2, 3], pads: [0, 0, 2, 0] }), RangeError, "pads");
  assertThrows(
    () => maxPool({ kernel: [3, 3] }).outputShapes([imageShape(1, 2, 5)]),
    RangeError,
    "does not fit",
  );
});
