/**
 * Every operator with tensors stored in float16, against the float64 references. The operands are
 * numbers of float16, so what remains is the rounding as a result is stored: half a unit in its last
 * place, 2^-11 of it, and the float32 sums before. Gradients of parameters are float32.
 */
import { openGpu } from "../gpu/device.ts";
import { roundingOf } from "../gpu/precision.ts";
import { subgroupTiles } from "../kernels/gemm/subgroup.ts";
import { workgroupTiles } from "../kernels/gemm/workgroup.ts";
import { averagePool } from "./average_pool/average_pool.ts";
import { averagePoolBackward, averagePoolForward } from "./average_pool/average_pool_reference.ts";
import { joinReference, splitReference } from "../kernels/copy/copy_channels_reference.ts";
import { concat } from "./concat/concat.ts";
import { conv, type ConvTile } from "./conv/conv.ts";
import { convBackward, convForward } from "./conv/conv_reference.ts";
import { dropout } from "./dropout/dropout.ts";
import { gemm } from "./gemm/gemm.ts";
import { gemmBackward, gemmForward } from "./gemm/gemm_reference.ts";
import { locallyConnected } from "./locally_connected/locally_connected.ts";
import {
  locallyConnectedBackward,
  locallyConnectedForward,
} from "./locally_connected/locally_connected_reference.ts";
import { lrn } from "./lrn/lrn.ts";
import { lrnBackward, lrnForward } from "./lrn/lrn_reference.ts";
import { maxPool } from "./max_pool/max_pool.ts";
import { maxPoolBackward, maxPoolForward } from "./max_pool/max_pool_reference.ts";
import type { Op } from "./op.ts";
import { assertClose, type OpRun, randomTensor, runOp, type Tensor } from "./op_harness.ts";
import { relu } from "./relu/relu.ts";
import { reluBackward, reluForward } from "./relu/relu_reference.ts";
import { sameMapLrn } from "./same_map_lrn/same_map_lrn.ts";
import { sameMapLrnBackward, sameMapLrnForward } from "./same_map_lrn/same_map_lrn_reference.ts";
import { softmaxCrossEntropy } from "./softmax_cross_entropy/softmax_cross_entropy.ts";
import {
  softmaxCrossEntropyBackward,
  softmaxCrossEntropyForward,
} from "./softmax_cross_entropy/softmax_cross_entropy_reference.ts";
import { split } from "./split/split.ts";
import { tanh } from "./tanh/tanh.ts";
import { tanhBackward, tanhForward } from "./tanh/tanh_reference.ts";

const gpu = await openGpu();

/** float32 sums before a result is stored or, of a parameter, instead. */
const SUMS = 1e-5;
const STORED = roundingOf("f16") + SUMS;

/** Random numbers that float16 holds as they are. */
function halves(shape: readonly number[], seed: number): Tensor {
  const { data } = randomTensor(shape, seed);
  return { shape, data: Float32Array.from(Float16Array.from(data)) };
}

interface Expected {
  readonly outputs: readonly Tensor[];
  readonly gradInputs: readonly Tensor[];
  readonly gradParameters?: readonly Tensor[];
  /** How often a number is rounded on its way to the inputs' gradients. */
  readonly roundings?: number;
}

async function expectAt16(op: Op, run: OpRun, expected: Expected): Promise<void> {
  const result = await runOp(gpu, op, { ...run, target: { precision: "f16" } });
  const { outputs, gradInputs, gradParameters = [], roundings = 1 } = expected;
  outputs.forEach(({ data }, i) => {
    assertClose(result.outputs[i]!.data, data, { relative: STORED, message: `output ${i}` });
  });
  gradInputs.forEach(({ data }, i) => {
    const relative = roundings * STORED;
    assertClose(result.gradInputs[i]!.data, data, { relative, message: `gradInput ${i}` });
  });
  gradParameters.forEach(({ data }, i) => {
    const message = `gradParameter ${i}`;
    assertClose(result.gradParameters[i]!, data, { relative: SUMS, message });
  });
}

const zeros = { kind: "constant", value: 0 } as const;

/** Two groups, products that no tile divides. */
function convCase(tile?: ConvTile) {
  const sizes = { strides: [1, 2], pads: [1, 1, 0, 0], group: 2, output: [5, 5] } as const;
  const [input, weight, bias, gradOutput] = [
    halves([2, 40, 6, 9], 1),
    halves([72, 20, 3, 2], 2),
    halves([72], 3),
    halves([2, 72, 5, 5], 4),
  ] as const;
  const shape = { outChannels: 72, kernel: [3, 2], ...sizes, weightInit: zeros } as const;
  const tiles = tile ? { forward: tile, gradInput: tile, gradWeight: tile } : {};
  const [gradInput, ...gradParameters] = convBackward(input, weight, gradOutput, sizes);
  const run = {
    inputs: [input],
    parameters: [weight.data, bias.data],
    gradOutputs: [gradOutput],
  };
  return [conv({ ...shape, tiles }), run, {
    outputs: [convForward(input, weight, bias, sizes)],
    gradInputs: [gradInput],
    gradParameters,
  }] as const;
}

for (const tile of [undefined, ...workgroupTiles.slice(0, 2), subgroupTiles()[0]]) {
  const name = tile ? Object.values(tile).join(" ") : "the default";
  Deno.test(`conv() in float16 equals the reference, tile ${name}`, async () => {
    const [op, run, expected] = convCase(tile);
    await expectAt16(op, run, expected);
  });
}

Deno.test("gemm() in float16 equals the reference", async () => {
  const [input, weight, bias] = [halves([5, 36], 1), halves([140, 36], 2), halves([140], 3)];
  const gradOutput = halves([5, 140], 4);
  const [gradInput, ...gradParameters] = gemmBackward(input!, weight!, gradOutput);
  const op = gemm({ outputs: 140, weightInit: zeros });
  const parameters = [weight!.data, bias!.data];
  await expectAt16(op, { inputs: [input!], parameters, gradOutputs: [gradOutput] }, {
    outputs: [gemmForward(input!, weight!, bias!)],
    gradInputs: [gradInput],
    gradParameters,
  });
});

Deno.test("locallyConnected() in float16 equals the reference", async () => {
  const sizes = { kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], output: [5, 4] } as const;
  const [input, weight] = [halves([3, 6, 5, 4], 1), halves([20, 5, 6, 3, 3], 2)];
  const [bias, gradOutput] = [halves([20, 5], 3), halves([3, 5, 5, 4], 4)];
  const [gradInput, ...gradParameters] = locallyConnectedBackward(
    ...[input!, weight!, gradOutput!] as const,
    sizes,
  );
  const op = locallyConnected({ outChannels: 5, ...sizes, weightInit: zeros });
  const parameters = [weight!.data, bias!.data];
  await expectAt16(op, { inputs: [input!], parameters, gradOutputs: [gradOutput!] }, {
    outputs: [locallyConnectedForward(input!, weight!, bias!, sizes)],
    gradInputs: [gradInput],
    gradParameters,
  });
});

/** Operators from a tensor to one, without parameters: their references as functions. */
const image = [2, 8, 7, 6] as const;
const window = { kernel: [3, 3], strides: [2, 2], pads: [0, 0, 1, 0] } as const;
const windows = { ...window, output: [3, 2] } as const;
const norm = { size: 5, alpha: 0.5, beta: 0.75, bias: 2 };
const oneToOne = [
  {
    name: "relu",
    op: relu(),
    output: image,
    forward: reluForward,
    backward: reluBackward,
  },
  {
    // Backward reads the output that was rounded.
    name: "tanh",
    op: tanh(),
    output: image,
    roundings: 3,
    forward: tanhForward,
    backward: tanhBackward,
  },
  {
    name: "lrn",
    op: lrn(norm),
    output: image,
    forward: (x: Tensor) => lrnForward(x, norm),
    backward: (x: Tensor, g: Tensor) => lrnBackward(x, g, norm),
  },
  {
    // Two passes over the gradient, each of which stores it.
    name: "sameMapLrn",
    op: sameMapLrn({ ...norm, size: 3 }),
    output: image,
    roundings: 3,
    forward: (x: Tensor) => sameMapLrnForward(x, { ...norm, size: 3 }),
    backward: (x: Tensor, g: Tensor) => sameMapLrnBackward(x, g, { ...norm, size: 3 }),
  },
  {
    name: "maxPool",
    op: maxPool(window),
    output: [2, 8, 3, 2],
    forward: (x: Tensor) => maxPoolForward(x, windows),
    backward: (x: Tensor, g: Tensor) => maxPoolBackward(x, g, windows),
  },
  {
    name: "averagePool",
    op: averagePool(window),
    output: [2, 8, 3, 2],
    forward: (x: Tensor) => averagePoolForward(x, windows),
    backward: (x: Tensor, g: Tensor) => averagePoolBackward(x, g, windows),
  },
];

for (const { name, op, output, forward, backward, roundings = 1 } of oneToOne) {
  Deno.test(`${name}() in float16 equals the reference`, async () => {
    const input = halves(image, 1), gradOutput = halves(output, 2);
    await expectAt16(op, { inputs: [input], gradOutputs: [gradOutput] }, {
      outputs: [forward(input)],
      gradInputs: [backward(input, gradOutput)],
      roundings,
    });
  });
}

Deno.test("dropout() in float16 drops what it drops in float32", async () => {
  const run = { inputs: [halves(image, 1)], gradOutputs: [halves(image, 2)] };
  const { outputs, gradInputs } = await runOp(gpu, dropout({ ratio: 0.5 }), run);
  await expectAt16(dropout({ ratio: 0.5 }), run, {
    outputs,
    gradInputs: gradInputs as Tensor[],
  });
});

Deno.test("concat() and split() in float16 move numbers as they are", async () => {
  const [one, other] = [halves([2, 4, 3, 3], 1), halves([2, 6, 3, 3], 2)];
  const whole = halves([2, 10, 3, 3], 3);
  const parts = splitReference(whole, [4, 6]);
  await expectAt16(concat(), { inputs: [one!, other!], gradOutputs: [whole] }, {
    outputs: [joinReference([one!, other!])],
    gradInputs: parts,
  });
  await expectAt16(split({ sizes: [4, 6] }), { inputs: [whole], gradOutputs: [one!, other!] }, {
    outputs: parts,
    gradInputs: [joinReference([one!, other!])],
  });
});

Deno.test("softmaxCrossEntropy() in float16 keeps probabilities float32, scales gradients", async () => {
  const logits = halves([6, 10], 1);
  const labels = [0, 9, 3, 3, 7, 1];
  const { probabilities } = softmaxCrossEntropyForward(logits, labels);
  const gradient = softmaxCrossEntropyBackward(logits, labels, 6);
  const scale = 2 ** 16;
  const result = await runOp(gpu, softmaxCrossEntropy(), {
    inputs: [logits],
    labels,
    backward: true,
    lossScale: { scale, goodSteps: 0, skipped: 0 },
    target: { precision: "f16" },
  });
  assertClose(result.outputs[0]!.data, probabilities.data, { relative: SUMS });
  const expected = gradient.data.map((value) => value * scale);
  assertClose(result.gradInputs[0]!.data, expected, { relative: STORED });
});
