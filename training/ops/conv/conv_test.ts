import { assertEquals, assertThrows } from "@std/assert";
import { type FixtureTensor, readFixtureCases } from "../../../tests/fixtures/read_fixture.ts";
import { openGpu } from "../../gpu/device.ts";
import { subgroupTiles } from "../../kernels/gemm/subgroup.ts";
import { checkGradients } from "../check_gradients.ts";
import { imageShape } from "../op.ts";
import { assertClose, type OpRun, randomTensor, runOp, type Tensor } from "../op_harness.ts";
import { conv, type ConvAttributes } from "./conv.ts";
import { convBackward, convForward, type ConvSizes } from "./conv_reference.ts";

const gpu = await openGpu();
const weightInit = { kind: "normal", std: 0.01 } as const;

type Four = readonly [number, number, number, number];
type Attributes = Omit<ConvAttributes, "weightInit">;

function sizesOf(attributes: Attributes, [, channels, height, width]: Four): ConvSizes {
  const { strides = [1, 1], pads = [0, 0, 0, 0], group = 1 } = attributes;
  const input = imageShape(channels, height, width);
  const output = conv({ ...attributes, weightInit }).outputShapes([input])[0]!;
  return { strides, pads, group, output: [output.height, output.width] };
}

/** Random input, weight, bias and gradient of the output. */
function tensorsOf(attributes: Attributes, shape: Four): [Tensor, Tensor, Tensor, Tensor] {
  const { outChannels, kernel, group = 1 } = attributes;
  const { output } = sizesOf(attributes, shape);
  return [
    randomTensor(shape, 1),
    randomTensor([outChannels, shape[1] / group, ...kernel], 2),
    randomTensor([outChannels], 3),
    randomTensor([shape[0], outChannels, ...output], 4),
  ];
}

/** Asserts that all three directions equal the reference. */
async function expectReference(attributes: Attributes, shape: Four, run: Partial<OpRun> = {}) {
  const sizes = sizesOf(attributes, shape);
  const [input, weight, bias, gradOutput] = tensorsOf(attributes, shape);
  const result = await runOp(gpu, conv({ ...attributes, weightInit }), {
    inputs: [input],
    parameters: [weight.data, bias.data],
    gradOutputs: [gradOutput],
    ...run,
  });
  const output = convForward(input, weight, bias, sizes);
  if (run.fusedRelu) {
    output.data.forEach((value, i) => output.data[i] = Math.max(0, value));
    output.data.forEach((value, i) => gradOutput.data[i]! *= value > 0 ? 1 : 0);
  }
  const [gradInput, ...gradients] = convBackward(input, weight, gradOutput, sizes);
  assertEquals(result.outputs[0]!.shape, output.shape);
  assertClose(result.outputs[0]!.data, output.data, { message: "output" });
  if (run.needsGradInput?.[0] === false) assertEquals(result.gradInputs, [undefined]);
  else assertClose(result.gradInputs[0]!.data, gradInput.data, { message: "gradInput" });
  gradients.forEach(({ data }, i) => {
    const before = run.accumulate?.[i];
    const expected = data.map((value, at) => value + (before?.[at] ?? 0));
    assertClose(result.gradParameters[i]!, expected, { message: `gradParameter ${i}` });
  });
}

const cases: [string, Attributes, Four][] = [
  ["one number", { outChannels: 1, kernel: [1, 1] }, [1, 1, 1, 1]],
  ["1x1, padded channels", { outChannels: 10, kernel: [1, 1] }, [3, 6, 5, 3]],
  ["1x1 by steps of two", { outChannels: 3, kernel: [1, 1], strides: [2, 2] }, [2, 10, 6, 5]],
  ["3x3", { outChannels: 16, kernel: [3, 3], pads: [1, 1, 1, 1] }, [2, 3, 5, 7]],
  [
    "3x3 in two groups",
    { outChannels: 8, kernel: [3, 3], pads: [0, 1, 2, 1], strides: [2, 1], group: 2 },
    [1, 16, 6, 5],
  ],
  ["2x4 in four groups", { outChannels: 16, kernel: [2, 4], group: 4 }, [3, 16, 4, 5]],
  [
    "5x3, asymmetric",
    { outChannels: 6, kernel: [5, 3], strides: [2, 4], pads: [3, 0, 1, 2] },
    [2, 1, 7, 9],
  ],
  [
    "rounded up",
    { outChannels: 3, kernel: [4, 3], strides: [3, 2], pads: [1, 0, 0, 0], ceilMode: true },
    [2, 6, 7, 6],
  ],
  [
    "windows apart",
    { outChannels: 10, kernel: [2, 1], strides: [4, 4], pads: [0, 1, 1, 0] },
    [1, 3, 9, 9],
  ],
  [
    "11x11 by steps of four",
    { outChannels: 4, kernel: [11, 11], strides: [4, 4], pads: [0, 0, 3, 3], ceilMode: true },
    [1, 3, 18, 17],
  ],
];

for (const [name, attributes, shape] of cases) {
  Deno.test(`conv reference agrees with finite differences: ${name}`, () => {
    const small: Four = [Math.min(2, shape[0]), shape[1], shape[2], shape[3]];
    const sizes = sizesOf(attributes, small);
    checkGradients(
      ([x, w, b]) => [convForward(x!, w!, b!, sizes)],
      ([x, w], [g]) => convBackward(x!, w!, g!, sizes),
      tensorsOf(attributes, small).slice(0, 3),
    );
  });

  for (const family of ["software", "discrete"] as const) {
    Deno.test(`conv() equals its reference with ${family} kernels: ${name}`, async () => {
      await expectReference(attributes, shape, { target: { family } });
    });
  }
}

for (const { name, attributes, tensors } of await readFixtureCases("conv")) {
  Deno.test(`conv() equals PyTorch: ${name}`, async () => {
    const expected = (key: string): FixtureTensor => tensors.get(key)!;
    const op = conv({
      outChannels: expected("output").shape[1]!,
      kernel: attributes.kernel_shape as [number, number],
      strides: attributes.strides as [number, number],
      pads: attributes.pads as [number, number, number, number],
      group: attributes.group as number,
      ceilMode: attributes.ceil_mode === 1,
      weightInit,
    });
    const result = await runOp(gpu, op, {
      inputs: [expected("input")],
      parameters: [expected("weight").data, expected("bias").data],
      gradOutputs: [expected("gradOutput")],
    });
    assertEquals(result.outputs[0]!.shape, expected("output").shape);
    assertClose(result.outputs[0]!.data, expected("output").data, { message: "output" });
    assertClose(result.gradInputs[0]!.data, expected("gradInput").data, { message: "gradInput" });
    const [weight, bias] = result.gradParameters;
    assertClose(weight!, expected("gradWeight").data, { message: "gradWeight" });
    assertClose(bias!, expected("gradBias").data, { message: "gradBias" });
  });
}

const random = (length: number, seed: number) =>
  Float32Array.from(randomTensor([length], seed).data);

for (const family of ["software", "discrete"] as const) {
  Deno.test(`conv() adds to gradients with ${family} kernels`, async () => {
    const attributes: Attributes = { outChannels: 10, kernel: [3, 3] };
    const accumulate = [random(10 * 6 * 9, 5), random(10, 6)];
    await expectReference(attributes, [3, 6, 9, 8], { accumulate, target: { family } });
  });
}

for (const accumulate of [false, true]) {
  const adding = accumulate ? ", adding" : "";
  // Four pieces of 2,115 pixels, which no tile divides; the bias in 17 parts.
  Deno.test(`conv() sums weight gradients in pieces${adding}`, async () => {
    const attributes: Attributes = { outChannels: 8, kernel: [2, 3], group: 2, pads: [1, 1, 0, 1] };
    await expectReference(attributes, [1, 8, 45, 47], {
      target: { family: "discrete" },
      ...accumulate ? { accumulate: [random(8 * 4 * 6, 5), random(8, 6)] } : {},
    });
  });
}

const strip = { family: "strip", pixels: 3, channels: 4 } as const;
const inStrips: Attributes["tiles"] = { forward: strip, gradInput: strip, gradWeight: strip };
const asGemm: Attributes["tiles"] = Object.fromEntries(
  ["forward", "gradInput", "gradWeight"].map((direction) => [direction, subgroupTiles()[0]!]),
);

for (const [name, tiles] of Object.entries({ inStrips, asGemm })) {
  Deno.test(`conv() stores max(0, x) with a fused Relu: ${name}`, async () => {
    const attributes: Attributes = { outChannels: 6, kernel: [3, 3], tiles };
    await expectReference(attributes, [2, 3, 6, 5], { fusedRelu: true });
  });

  // One column of channels is summed in pieces where it is done in strips, two are not.
  for (const outChannels of [4, 8]) {
    Deno.test(`conv() adds ${outChannels} channels' gradients: ${name}`, async () => {
      const accumulate = [random(outChannels * 6 * 9, 5), random(outChannels, 6)];
      const attributes: Attributes = { outChannels, kernel: [3, 3], tiles };
      await expectReference(attributes, [3, 6, 9, 8], { accumulate });
    });
  }
}

Deno.test("conv() leaves out the input's gradient where nothing needs it", async () => {
  const op = conv({ outChannels: 4, kernel: [3, 3], weightInit });
  const attributes: Attributes = { outChannels: 4, kernel: [3, 3] };
  await expectReference(attributes, [1, 3, 6, 5], { needsGradInput: [false] });
  assertEquals(op.canFuseRelu, true);
});

Deno.test("conv().outputShapes() gives AlexNet's sizes", () => {
  const [output] = conv({
    outChannels: 96,
    kernel: [11, 11],
    strides: [4, 4],
    ceilMode: true,
    weightInit,
  }).outputShapes([imageShape(3, 224, 224)]);
  assertEquals(output, imageShape(96, 55, 55));
});

Deno.test("conv().parameters() keep values through memory's layout", () => {
  for (const [, attributes, [, channels, height, width]] of cases) {
    const op = conv({ ...attributes, weightInit });
    for (const spec of op.parameters([imageShape(channels, height, width)])) {
      const length = spec.shape.reduce((product, size) => product * size, 1);
      const values = random(length, 7);
      const stored = spec.pack(values);
      assertEquals(stored.length, spec.floats);
      assertEquals(stored.filter((value) => value !== 0).length, length);
      assertEquals(spec.unpack(stored), values);
    }
  }
});

Deno.test("conv().multiplyAdds() counts AlexNet's second layer", () => {
  const op = conv({ outChannels: 256, kernel: [5, 5], pads: [2, 2, 2, 2], group: 2, weightInit });
  assertEquals(op.multiplyAdds([imageShape(96, 27, 27)]), 223_948_800);
});

Deno.test("conv().toOnnx() writes the padding that rounding up adds", () => {
  const op = conv({
    outChannels: 2,
    kernel: [3, 2],
    strides: [2, 2],
    pads: [1, 0, 1, 0],
    ceilMode: true,
    weightInit,
  });
  const input = imageShape(1, 4, 5);
  const [weight, bias] = [random(12, 1), random(2, 2)];
  const { nodes, initializers } = op.toOnnx({
    name: "c",
    inputs: ["x"],
    outputs: ["y"],
    inputShapes: [input],
    outputShapes: op.outputShapes([input]),
    parameters: [{ name: "c/weight", values: weight }, { name: "c/bias", values: bias }],
  });
  assertEquals(nodes, [{
    opType: "Conv",
    name: "c",
    inputs: ["x", "c/weight", "c/bias"],
    outputs: ["y"],
    attributes: {
      kernel_shape: { ints: [3, 2] },
      strides: { ints: [2, 2] },
      pads: { ints: [1, 0, 2, 1] },
      group: { int: 1 },
    },
  }]);
  assertEquals(initializers, [
    { name: "c/weight", dims: [2, 1, 3, 2], data: weight },
    { name: "c/bias", dims: [2], data: bias },
  ]);
});

Deno.test("conv() refuses what it cannot do", () => {
  const shapes = (attributes: Attributes, channels: number) => () =>
    conv({ ...attributes, weightInit }).outputShapes([imageShape(channels, 5, 5)]);
  assertThrows(shapes({ outChannels: 8, kernel: [3, 3], group: 3 }, 12), RangeError, "8 output");
  assertThrows(shapes({ outChannels: 8, kernel: [3, 3], group: 2 }, 6), RangeError, "6 input");
  assertThrows(shapes({ outChannels: 8, kernel: [3, 6] }, 4), RangeError, "does not fit");
  const flat = [{ ...imageShape(75, 1, 1), stride: 100, flattened: imageShape(3, 5, 5) }];
  const op = conv({ outChannels: 8, kernel: [1, 1], weightInit });
  assertThrows(() => op.outputShapes(flat), RangeError, "flattened");
});
