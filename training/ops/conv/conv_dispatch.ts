/** The dispatches of a convolution, direction by direction. */
import { type Binding, type Constants, specialize } from "../../gpu/kernel.ts";
import { gemmKernel, rankGemmTiles, splitsFor } from "../../kernels/gemm/gemm.ts";
import type { GemmKernel, GemmProblem } from "../../kernels/gemm/problem.ts";
import {
  keySuffix,
  pickTile,
  type RankedTile,
  type TiledProblem,
  tileName,
} from "../../kernels/tile.ts";
import { columnSum, sumOfParts } from "../../kernels/reduce/reduce.ts";
import { operandBinding, operandText } from "../../kernels/operand.ts";
import {
  floatsOf,
  type OpContext,
  type OpDispatch,
  type OpWork,
  ref,
  type Shape,
  type TensorRef,
} from "../op.ts";
import type { ConvTile } from "./conv.ts";
import type { Geometry } from "./conv_geometry.ts";
import {
  gradWeightParts,
  rankStripTiles,
  stripForward,
  stripGradWeight,
  type StripKernel,
  type StripProblem,
} from "./conv_strip.ts";
import forwardText from "./conv_forward.wgsl" with { type: "text" };
import gradInputText from "./conv_grad_input.wgsl" with { type: "text" };
import gradWeightText from "./conv_grad_weight.wgsl" with { type: "text" };

/** A direction's text behind its two operands, as tensors are stored. */
function textOf(
  { target }: OpContext,
  [a, b]: readonly [string, string],
  text: string,
  constants: Constants,
): string {
  const operands = operandText(target, 0, a) + operandText(target, 1, b);
  return specialize(operands + text, constants, target.precision);
}

/** The constants that all three directions share. */
function sizes(g: Geometry) {
  return {
    IN_HEIGHT: g.input.height,
    IN_WIDTH: g.input.width,
    IN_STRIDE: g.input.stride,
    OUT_HEIGHT: g.output.height,
    OUT_WIDTH: g.output.width,
    OUT_STRIDE: g.output.stride,
    GROUP_IN: g.inStride,
    GROUP_OUT: g.outStride,
    KERNEL_HEIGHT: g.kernel[0],
    KERNEL_WIDTH: g.kernel[1],
    STRIDE_Y: g.strides[0],
    STRIDE_X: g.strides[1],
    PAD_TOP: g.pads[0],
    PAD_LEFT: g.pads[1],
  };
}

function describe(g: Geometry, direction: string): string {
  const { input: i, output: o } = g;
  return `Conv ${direction} ${i.channels}x${i.height}x${i.width} -> ` +
    `${o.channels}x${o.height}x${o.width} k${g.kernel} s${g.strides} g${g.group}`;
}

export function forward(g: Geometry, context: OpContext, tile?: ConvTile): OpWork {
  const relu = context.fusedRelu ? " relu" : "";
  const problem: GemmProblem = {
    label: describe(g, "forward") + relu,
    m: context.batch * g.output.height * g.output.width,
    n: g.outStride,
    k: g.kernel[0] * g.kernel[1] * g.inStride,
    z: g.group,
    alongA: "k",
    alongB: "n",
    text: textOf(context, ["input", "weight"], forwardText, {
      ...sizes(g),
      RELU: context.fusedRelu,
    }),
  };
  const strip = { ...forwardStrips(g, context), label: problem.label };
  const { chosen, tiled } = choose({ g, context, problem, strip, tile });
  const kernel = chosen.family !== "strip"
    ? gemmKernel(problem, context.target, chosen)
    : stripForward(strip, chosen, context.target.subgroupSize, {
      epilogue: context.fusedRelu ? "bias-relu" : "bias",
      weightAlong: "output",
      family: context.target.family,
    });
  const bindings = [
    imagesOf(g.input, "input", context),
    weightsOf(g, context),
    { buffer: ref("parameter", 1) },
    { buffer: ref("output") },
  ];
  return { dispatches: [dispatchOf(kernel, bindings, tiled)] };
}

export function gradInput(g: Geometry, context: OpContext, tile?: ConvTile): OpWork {
  const bindings = [
    imagesOf(g.output, "gradOutput", context),
    weightsOf(g, context),
    { buffer: ref("gradInput") },
  ];
  const problem: GemmProblem = {
    label: describe(g, "grad-input"),
    m: context.batch * g.input.height * g.input.width,
    n: g.inStride,
    k: g.kernel[0] * g.kernel[1] * g.outStride,
    z: g.group,
    alongA: "k",
    alongB: "k",
    text: textOf(context, ["grad_output", "weight"], gradInputText, sizes(g)),
  };
  const strip = g.strides.every((stride) => stride === 1) ? gradInputStrips(g, context) : null;
  const { chosen, tiled } = choose({ g, context, problem, strip, tile });
  if (chosen.family !== "strip") {
    const kernel = gemmKernel(problem, context.target, chosen);
    return { dispatches: [dispatchOf(kernel, bindings, tiled)] };
  }
  if (!strip) throw new RangeError("Cannot compute grad-input in strips: the strides are not 1");
  const kernel = stripForward(strip, chosen, context.target.subgroupSize, {
    epilogue: "none",
    weightAlong: "input",
    family: context.target.family,
  });
  return { dispatches: [dispatchOf(kernel, bindings, tiled)] };
}

export function gradWeight(g: Geometry, context: OpContext, tile?: ConvTile): OpWork {
  const m = g.kernel[0] * g.kernel[1] * g.inStride;
  const k = context.batch * g.output.height * g.output.width;
  const { target } = context;
  const gemmSplits = splitsFor(target, { m, n: g.outStride, k, z: g.group });
  const floats = g.group * m * g.outStride;
  const problem: GemmProblem = {
    label: describe(g, "grad-weight"),
    m,
    n: g.outStride,
    k,
    z: g.group,
    alongA: "m",
    alongB: "n",
    splits: gemmSplits,
    text: textOf(context, ["input", "grad_output"], gradWeightText, {
      ...sizes(g),
      PIXELS: k,
      SPLIT_FLOATS: floats,
      ACCUMULATE: context.accumulate && gemmSplits === 1,
    }),
  };
  const strip = { ...forwardStrips(g, context), label: problem.label };
  const { chosen, tiled } = choose({ g, context, problem, strip, tile, gradWeight: true });
  const inStrips = chosen.family === "strip";
  const parts = inStrips ? gradWeightParts(strip, chosen, target.subgroupSize) : gemmSplits;
  const kernel = inStrips
    ? stripGradWeight(strip, chosen, target.subgroupSize, {
      accumulate: context.accumulate,
      family: target.family,
    })
    : gemmKernel(problem, target, chosen);
  const sums = parts === 1 ? ref("gradParameter", 0) : ref("scratch", 0);
  const bindings = [
    imagesOf(g.input, "input", context),
    imagesOf(g.output, "gradOutput", context),
    { buffer: sums },
  ];
  const dispatches = [dispatchOf(kernel, bindings, tiled)];
  if (parts === 1) return { dispatches };
  // What finishes the sums counts with them, but its multiply-adds are done.
  dispatches.push({
    ...sumOfParts({
      parts,
      floats,
      accumulate: context.accumulate,
      from: ref("scratch", 0),
      to: ref("gradParameter", 0),
      maxWorkgroups: target.maxWorkgroups,
    }),
    problem: { ...tiled, multiplyAdds: 0 },
  });
  return { dispatches, scratchBytes: [parts * floats * 4] };
}

interface Choice {
  readonly g: Geometry;
  readonly context: OpContext;
  readonly problem: GemmProblem;
  /** The problem in strips; null where it cannot be had in them. */
  readonly strip: StripProblem | null;
  readonly tile: ConvTile | undefined;
  readonly gradWeight?: boolean;
}

/** The given tile, else the measured one, else that of the least estimated cost. */
function choose(
  { g, context, problem, strip, tile, gradWeight = false }: Choice,
): { chosen: ConvTile; tiled: TiledProblem } {
  const { target, batch } = context;
  const ranked: RankedTile<ConvTile>[] = rankGemmTiles(problem, target);
  // Strips are a software driver's, where float16 saves nothing.
  if (strip && target.family === "software" && target.precision !== "f16") {
    const direction = gradWeight ? "gradWeight" : "forward";
    ranked.push(...rankStripTiles(direction, strip, target.subgroupSize));
    ranked.sort((a, b) => a.cost - b.cost);
  }
  const key = `${problem.label} p${g.pads} n${batch}${keySuffix(target)}`;
  const chosen = tile ?? pickTile(key, ranked, target.tiles);
  const { input, output, kernel, group } = g;
  const taps = kernel[0] * kernel[1] * input.channels / group;
  return {
    chosen,
    tiled: {
      key,
      tile: tileName(chosen),
      candidates: ranked.map((candidate) => tileName(candidate.tile)),
      multiplyAdds: batch * output.channels * output.height * output.width * taps,
    },
  };
}

function forwardStrips(g: Geometry, { batch }: OpContext): StripProblem {
  return {
    label: describe(g, "forward"),
    batch,
    group: g.group,
    input: { ...g.input, groupChannels: g.inStride },
    output: { ...g.output, groupChannels: g.outStride },
    realInputs: g.input.channels / g.group,
    kernel: g.kernel,
    strides: g.strides,
    padTop: g.pads[0],
    padLeft: g.pads[1],
  };
}

/** Grad-input as a convolution of the output's gradient: padded by what the window reaches over. */
function gradInputStrips(g: Geometry, { batch }: OpContext): StripProblem {
  return {
    label: describe(g, "grad-input"),
    batch,
    group: g.group,
    input: { ...g.output, groupChannels: g.outStride },
    output: { ...g.input, groupChannels: g.inStride },
    realInputs: g.output.channels / g.group,
    kernel: g.kernel,
    strides: [1, 1],
    padTop: g.kernel[0] - 1 - g.pads[0],
    padLeft: g.kernel[1] - 1 - g.pads[1],
  };
}

/** Comes first: with a fused ReLU it also masks the gradient that the others read. */
export function gradBias(g: Geometry, context: OpContext): OpWork {
  const { dispatches, scratchBytes } = columnSum({
    rows: context.batch * g.output.height * g.output.width,
    columns: g.output.stride,
    accumulate: context.accumulate,
    from: ref("gradOutput"),
    ...(context.fusedRelu ? { mask: ref("output") } : {}),
    scratch: ref("scratch", 1),
    to: ref("gradParameter", 1),
    target: context.target,
  });
  return { dispatches, scratchBytes: [0, scratchBytes] };
}

function dispatchOf(
  { kernel, workgroups }: GemmKernel | StripKernel,
  bindings: readonly Binding<TensorRef>[],
  problem: TiledProblem,
): OpDispatch {
  return { kernel, workgroups, bindings, problem };
}

function imagesOf(shape: Shape, role: "input" | "gradOutput", context: OpContext) {
  return operandBinding(context.target, ref(role), { count: context.batch * floatsOf(shape) });
}

function weightsOf({ kernel, inStride, outStride, group }: Geometry, { target }: OpContext) {
  const count = group * kernel[0] * kernel[1] * inStride * outStride;
  return operandBinding(target, ref("parameter", 0), { count });
}
