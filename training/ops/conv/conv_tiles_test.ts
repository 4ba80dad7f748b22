import { openGpu } from "../../gpu/device.ts";
import type { GemmTile } from "../../kernels/gemm/gemm.ts";
import { subgroupTiles } from "../../kernels/gemm/subgroup.ts";
import { workgroupTiles } from "../../kernels/gemm/workgroup.ts";
import { imageShape } from "../op.ts";
import { assertClose, type OpRun, randomTensor, runOp } from "../op_harness.ts";
import { conv, type ConvAttributes } from "./conv.ts";
import { convBackward, convForward } from "./conv_reference.ts";

const gpu = await openGpu();

type Four = readonly [number, number, number, number];
type Attributes = Omit<ConvAttributes, "weightInit">;

/** Computes the reference once; what it gives runs the kernels and asserts that they equal it. */
function against(attributes: Attributes, shape: Four) {
  const { outChannels, kernel, strides = [1, 1], pads = [0, 0, 0, 0], group = 1 } = attributes;
  const [batch, channels, height, width] = shape;
  const [output] = opOf().outputShapes([imageShape(channels, height, width)]);
  const sizes = { strides, pads, group, output: [output!.height, output!.width] } as const;
  const input = randomTensor(shape, 1);
  const weight = randomTensor([outChannels, channels / group, ...kernel], 2);
  const bias = randomTensor([outChannels], 3);
  const gradOutput = randomTensor([batch, outChannels, ...sizes.output], 4);
  const expected = convForward(input, weight, bias, sizes);
  const gradients = convBackward(input, weight, gradOutput, sizes);

  function opOf(tile?: GemmTile) {
    const tiles = tile ? { tiles: { forward: tile, gradInput: tile, gradWeight: tile } } : {};
    return conv({ ...attributes, ...tiles, weightInit: { kind: "constant", value: 0 } });
  }

  return async (tile?: GemmTile, run: Partial<OpRun> = {}) => {
    const result = await runOp(gpu, opOf(tile), {
      inputs: [input],
      parameters: [weight.data, bias.data],
      gradOutputs: [gradOutput],
      ...run,
    });
    assertClose(result.outputs[0]!.data, expected.data, { message: "output" });
    const [gradInput] = result.gradInputs;
    if (gradInput) assertClose(gradInput.data, gradients[0].data, { message: "gradInput" });
    assertClose(result.gradParameters[0]!, gradients[1].data, { message: "gradWeight" });
    assertClose(result.gradParameters[1]!, gradients[2].data, { message: "gradBias" });
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

Deno.test("conv() sums weight gradients in pieces at a subgroup tile", async () => {
  const pieces = against({ outChannels: 8, kernel: [2, 3] }, [1, 6, 41, 43]);
  await pieces(subgroupTiles()[0], { target: { family: "discrete" } });
});

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
for (const [name, attributes, shape] of layers) {
  Deno.test(`conv() equals its reference at the chosen tiles of AlexNet's ${name}`, async () => {
    await against(attributes, shape)(undefined, { needsGradInput: [name !== "conv1"] });
  });
}
