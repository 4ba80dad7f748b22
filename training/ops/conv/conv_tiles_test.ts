import { openGpu } from "../../gpu/device.ts";
import { subgroupTiles } from "../../kernels/gemm/subgroup.ts";
import { workgroupTiles } from "../../kernels/gemm/workgroup.ts";
import { imageShape } from "../op.ts";
import { assertClose, type OpRun, randomTensor, runOp, type Tensor } from "../op_harness.ts";
import { conv, type ConvAttributes, type ConvTile } from "./conv.ts";
import { convBackward, convForward, type ConvSizes } from "./conv_reference.ts";

const gpu = await openGpu();

type Four = readonly [number, number, number, number];
type Attributes = Omit<ConvAttributes, "weightInit">;

function opOf(attributes: Attributes, tile?: ConvTile) {
  const tiles = tile ? { forward: tile, gradInput: tile, gradWeight: tile } : attributes.tiles;
  return conv({ ...attributes, tiles: tiles ?? {}, weightInit: { kind: "constant", value: 0 } });
}

function problemOf(attributes: Attributes, shape: Four) {
  const { outChannels, kernel, strides = [1, 1], pads = [0, 0, 0, 0], group = 1 } = attributes;
  const [batch, channels, height, width] = shape;
  const [output] = opOf(attributes).outputShapes([imageShape(channels, height, width)]);
  const sizes: ConvSizes = { strides, pads, group, output: [output!.height, output!.width] };
  return {
    input: randomTensor(shape, 1),
    weight: randomTensor([outChannels, channels / group, ...kernel], 2),
    bias: randomTensor([outChannels], 3),
    gradOutput: randomTensor([batch, outChannels, ...sizes.output], 4),
    sizes,
  };
}

/** Computes the reference once; what it gives runs the kernels and asserts that they equal it. */
function against(attributes: Attributes, shape: Four) {
  const { input, weight, bias, gradOutput, sizes } = problemOf(attributes, shape);
  const output = convForward(input, weight, bias, sizes);
  const [gradInput, gradWeight, gradBias] = convBackward(input, weight, gradOutput, sizes);
  return async (tile?: ConvTile, run: Partial<OpRun> = {}) => {
    const result = await runOp(gpu, opOf(attributes, tile), {
      inputs: [input],
      parameters: [weight.data, bias.data],
      gradOutputs: [gradOutput],
      ...run,
    });
    assertClose(result.outputs[0]!.data, output.data, { message: "output" });
    assertClose(result.gradInputs[0]!.data, gradInput.data, { message: "gradInput" });
    assertClose(result.gradParameters[0]!, gradWeight.data, { message: "gradWeight" });
    assertClose(result.gradParameters[1]!, gradBias.data, { message: "gradBias" });
  };
}

// Products of 135 x 132 x 408, 162 x 68 x 792 and 408 x 132 x 135 in two groups: no tile divides
// them, and the largest needs two along each side.
const odd = against(
  { outChannels: 264, kernel: [3, 2], strides: [1, 2], pads: [1, 1, 0, 0], group: 2 },
  [3, 136, 6, 9],
);

for (const tile of [...subgroupTiles(), ...workgroupTiles]) {
  const { family, ...sizes } = tile;
  Deno.test(`conv() equals its reference at ${family} tile ${Object.values(sizes)}`, async () => {
    await odd(tile);
  });
}

// Two groups of 20 to 52 channels, rows of 10 and 11 pixels: nothing divides them.
const strips = against(
  { outChannels: 104, kernel: [3, 2], pads: [1, 0, 0, 0], group: 2 },
  [3, 40, 5, 11],
);
const STRIPS = [[2, 4], [3, 8], [4, 12], [5, 16], [7, 4], [10, 8], [3, 24], [2, 32], [2, 48]];

for (const [pixels, channels] of STRIPS as [number, number][]) {
  Deno.test(`conv() equals its reference in strips of ${pixels} x ${channels}`, async () => {
    await strips({ family: "strip", pixels, channels });
  });
}

Deno.test("conv() equals its reference in strips of a strided window", async () => {
  const attributes: Attributes = {
    ...{ outChannels: 10, kernel: [5, 7], strides: [2, 4], pads: [1, 3, 2, 0] },
  };
  for (const [pixels, channels] of [[2, 4], [3, 8], [4, 12]] as const) {
    const tile = { family: "strip", pixels, channels } as const;
    // Grad-input of strides other than one is a GEMM's.
    const gradInput = subgroupTiles()[0]!;
    const tiles = { forward: tile, gradWeight: tile, gradInput };
    await against({ ...attributes, tiles }, [3, 3, 13, 27])();
  }
});

Deno.test("conv() sums weight gradients in pieces at a subgroup tile", async () => {
  const pieces = against({ outChannels: 8, kernel: [2, 3] }, [1, 6, 41, 43]);
  await pieces(subgroupTiles()[0]!, { target: { family: "discrete" } });
});

// 72,250 steps of four pixels, 146,200 strips in two halves: more turns than a software driver lets a loop take.
const long = against({ outChannels: 4, kernel: [1, 1] }, [20, 3, 170, 85]);

for (const tile of [subgroupTiles()[0]!, { family: "strip", pixels: 2, channels: 4 } as const]) {
  Deno.test(`conv() sums weight gradients over very many pixels by ${tile.family}`, async () => {
    await long(tile);
  });
}

const layers: [string, Attributes, Four][] = [
  [
    "conv1",
    { outChannels: 96, kernel: [11, 11], strides: [4, 4], pads: [0, 0, 3, 3] },
    [1, 3, 224, 224],
  ],
  ["conv2", { outChannels: 256, kernel: [5, 5], pads: [2, 2, 2, 2], group: 2 }, [1, 96, 27, 27]],
  ["conv3", { outChannels: 384, kernel: [3, 3], pads: [1, 1, 1, 1] }, [1, 256, 13, 13]],
  ["conv4", { outChannels: 384, kernel: [3, 3], pads: [1, 1, 1, 1], group: 2 }, [1, 384, 13, 13]],
  ["conv5", { outChannels: 256, kernel: [3, 3], pads: [1, 1, 1, 1], group: 2 }, [1, 384, 13, 13]],
];
const SAMPLE = 8;

/** Every eighth channel: each is independent of the others, and all would take a minute. */
function sampled({ shape, data }: Tensor, axis: 0 | 1): Tensor {
  const outer = axis === 0 ? 1 : shape[0]!;
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const kept: number[] = [];
  for (let o = 0; o < outer; o++) {
    for (let channel = 0; channel < shape[axis]!; channel += SAMPLE) {
      const start = (o * shape[axis]! + channel) * inner;
      kept.push(...data.subarray(start, start + inner));
    }
  }
  return {
    shape: shape.with(axis, shape[axis]! / SAMPLE),
    data: Float64Array.from(kept),
  };
}

for (const [name, attributes, shape] of layers) {
  Deno.test(`conv() equals its reference at the chosen tiles of AlexNet's ${name}`, async () => {
    const { input, weight, bias, gradOutput, sizes } = problemOf(attributes, shape);
    const needsGradInput = name !== "conv1";
    const result = await runOp(gpu, opOf(attributes), {
      inputs: [input],
      parameters: [weight.data, bias.data],
      gradOutputs: [gradOutput],
      needsGradInput: [needsGradInput],
    });
    const [someWeight, someGradients] = [sampled(weight, 0), sampled(gradOutput, 1)];
    const output = convForward(input, someWeight, sampled(bias, 0), sizes);
    assertClose(sampled(result.outputs[0]!, 1).data, output.data, { message: "output" });
    const [, gradWeight, gradBias] = convBackward(input, someWeight, someGradients, sizes);
    const [ownWeight, ownBias] = result.gradParameters.map((data, i) =>
      sampled({ shape: [weight, bias][i]!.shape, data }, 0).data
    );
    assertClose(ownWeight!, gradWeight.data, { message: "gradWeight" });
    assertClose(ownBias!, gradBias.data, { message: "gradBias" });
    if (!needsGradInput) return;
    const [gradInput] = convBackward(sampled(input, 1), sampled(weight, 1), gradOutput, sizes);
    assertClose(sampled(result.gradInputs[0]!, 1).data, gradInput.data, { message: "gradInput" });
  });
}
