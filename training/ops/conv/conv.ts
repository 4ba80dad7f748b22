/**
 * Conv: out[n, y, x, o] = bias[o] + sum over r, s, i of in[n, y S - top + r, x S - left + s, i]
 * weight[o, i, r, s], inputs and outputs in `group` groups that do not see each other.
 *
 * All three directions are implicit GEMMs (see `kernels/gemm/`):
 *
 * - forward:     [pixels out] x [R S I/g] x [O/g]
 * - grad-input:  [pixels in]  x [R S O/g] x [I/g]
 * - grad-weight: [R S I/g]    x [pixels out] x [O/g]
 *
 * In memory the weights are [group][r][s][i][o] with i and o padded to multiples of four.
 * @module
 */
import { specialize } from "../../gpu/kernel.ts";
import { gemmKernel, type GemmProblem, type GemmTile, splitsFor } from "../../kernels/gemm/gemm.ts";
import { columnSum, sumOfParts } from "../../kernels/reduce/reduce.ts";
import {
  imageShape,
  type Init,
  only,
  type Op,
  type OpContext,
  type OpDispatch,
  type OpWork,
  type ParameterSpec,
  ref,
  type Shape,
} from "../op.ts";
import { packConvWeight, unpackConvWeight } from "./conv_layout.ts";
import forwardText from "./conv_forward.wgsl" with { type: "text" };
import gradInputText from "./conv_grad_input.wgsl" with { type: "text" };
import gradWeightText from "./conv_grad_weight.wgsl" with { type: "text" };

export interface ConvAttributes {
  readonly outChannels: number;
  /** [height, width] */
  readonly kernel: readonly [number, number];
  readonly strides?: readonly [number, number];
  /** As ONNX: [top, left, bottom, right]. */
  readonly pads?: readonly [number, number, number, number];
  readonly group?: number;
  /**
   * Output sizes round up, as in cuda-convnet (`alexnet` of the original code): the bottom and the
   * right get as much more padding as that takes.
   */
  readonly ceilMode?: boolean;
  readonly weightInit: Init;
  readonly biasInit?: Init;
  readonly rateMultipliers?: { readonly weight?: number; readonly bias?: number };
  readonly decayMultipliers?: { readonly weight?: number; readonly bias?: number };
  /** Tiles by direction instead of the cost model's. */
  readonly tiles?: Partial<Record<"forward" | "gradInput" | "gradWeight", GemmTile>>;
}

/** All sizes of one convolution, once. */
interface Geometry {
  readonly input: Shape;
  readonly output: Shape;
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  /** [top, left, bottom, right], with what ceil mode adds. */
  readonly pads: readonly [number, number, number, number];
  readonly group: number;
  /** Channels of a group in memory. */
  readonly inStride: number;
  readonly outStride: number;
}

/** @throws {RangeError} on channels that do not divide into groups of a multiple of four. */
export function conv(attributes: ConvAttributes): Op {
  const { weightInit, biasInit = { kind: "constant", value: 0 }, tiles = {} } = attributes;
  const geometry = (inputs: readonly Shape[]) => geometryOf(attributes, only(inputs, "Conv"));
  return {
    type: "Conv",
    backwardReads: { inputs: true, outputs: false },
    canFuseRelu: true,
    outputShapes: (inputs) => [geometry(inputs).output],
    parameters: (inputs) => {
      const g = geometry(inputs);
      return [weightSpec(g, weightInit, attributes), biasSpec(g, biasInit, attributes)];
    },
    multiplyAdds: (inputs) => {
      const { output, kernel, group, input } = geometry(inputs);
      const { channels, height, width } = output;
      return channels * height * width * kernel[0] * kernel[1] * input.channels / group;
    },
    forward: (context) => forward(geometry(context.inputs), context, tiles.forward),
    backward: (context) => {
      const g = geometry(context.inputs);
      const parts = [gradWeight(g, context, tiles.gradWeight), gradBias(g, context)];
      if (context.needsGradInput[0]) parts.push(gradInput(g, context, tiles.gradInput));
      return {
        dispatches: parts.flatMap((part) => part.dispatches),
        scratchBytes: [parts[0]!.scratchBytes?.[0] ?? 0, parts[1]!.scratchBytes?.[1] ?? 0],
      };
    },
    toOnnx: ({ name, inputs, outputs, inputShapes, parameters }) => {
      const g = geometry(inputShapes);
      const [weight, bias] = parameters as [typeof parameters[0], typeof parameters[0]];
      const dims = weightShape(g);
      return {
        nodes: [{
          opType: "Conv",
          name,
          inputs: [inputs[0]!, weight.name, bias.name],
          outputs,
          attributes: {
            kernel_shape: { ints: g.kernel },
            strides: { ints: g.strides },
            pads: { ints: g.pads },
            group: { int: g.group },
          },
        }],
        initializers: [
          { name: weight.name, dims, data: weight.values },
          { name: bias.name, dims: [g.output.channels], data: bias.values },
        ],
      };
    },
  };
}

function geometryOf(attributes: ConvAttributes, input: Shape): Geometry {
  const { outChannels, kernel, strides = [1, 1], pads = [0, 0, 0, 0], group = 1 } = attributes;
  const { ceilMode = false } = attributes;
  if (input.flattened) {
    throw new RangeError("Cannot apply Conv: its input is flattened (expected an image)");
  }
  for (const [what, channels] of [["input", input.channels], ["output", outChannels]] as const) {
    if (channels % group !== 0 || (group > 1 && channels / group % 4 !== 0)) {
      throw new RangeError(
        `Cannot apply Conv: ${channels} ${what} channels in ${group} groups ` +
          `(expected a multiple of four channels a group)`,
      );
    }
  }
  const [top, left, bottom, right] = pads;
  const [height, extraBottom] = outputSize(
    input.height + top + bottom,
    kernel[0],
    strides[0],
    ceilMode,
  );
  const [width, extraRight] = outputSize(
    input.width + left + right,
    kernel[1],
    strides[1],
    ceilMode,
  );
  const output = imageShape(outChannels, height, width);
  return {
    input,
    output,
    kernel,
    strides,
    pads: [top, left, bottom + extraBottom, right + extraRight],
    group,
    inStride: input.stride / group,
    outStride: output.stride / group,
  };
}

/** Output size and the padding that rounding up adds at the end. */
function outputSize(padded: number, kernel: number, stride: number, ceilMode: boolean) {
  const steps = (padded - kernel) / stride;
  if (steps < 0) {
    throw new RangeError(`Cannot apply Conv: a window of ${kernel} does not fit into ${padded}`);
  }
  const size = 1 + (ceilMode ? Math.ceil(steps) : Math.floor(steps));
  return [size, Math.max(0, (size - 1) * stride + kernel - padded)] as const;
}

function weightShape({ input, output, kernel, group }: Geometry): number[] {
  return [output.channels, input.channels / group, ...kernel];
}

function weightSpec(g: Geometry, init: Init, attributes: ConvAttributes): ParameterSpec {
  const shape = weightShape(g);
  const layout = { shape, group: g.group, inStride: g.inStride, outStride: g.outStride };
  return {
    name: "weight",
    shape,
    floats: g.group * g.kernel[0] * g.kernel[1] * g.inStride * g.outStride,
    init,
    rateMultiplier: attributes.rateMultipliers?.weight ?? 1,
    decayMultiplier: attributes.decayMultipliers?.weight ?? 1,
    pack: (values) => packConvWeight(values, layout),
    unpack: (stored) => unpackConvWeight(stored, layout),
  };
}

function biasSpec(g: Geometry, init: Init, attributes: ConvAttributes): ParameterSpec {
  const { channels, stride } = g.output;
  return {
    name: "bias",
    shape: [channels],
    floats: stride,
    init,
    rateMultiplier: attributes.rateMultipliers?.bias ?? 1,
    decayMultiplier: attributes.decayMultipliers?.bias ?? 1,
    pack: (values) => {
      const stored = new Float32Array(stride);
      stored.set(values);
      return stored;
    },
    unpack: (stored) => stored.slice(0, channels),
  };
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

function forward(g: Geometry, context: OpContext, tile?: GemmTile): OpWork {
  const problem: GemmProblem = {
    label: describe(g, "forward"),
    m: context.batch * g.output.height * g.output.width,
    n: g.outStride,
    k: g.kernel[0] * g.kernel[1] * g.inStride,
    z: g.group,
    alongA: "k",
    alongB: "n",
    text: specialize(forwardText, { ...sizes(g), RELU: context.fusedRelu }),
  };
  const bindings = [ref("input"), ref("parameter", 0), ref("parameter", 1), ref("output")];
  return { dispatches: [gemmDispatch(problem, context, bindings, tile)] };
}

function gradInput(g: Geometry, context: OpContext, tile?: GemmTile): OpWork {
  const problem: GemmProblem = {
    label: describe(g, "grad-input"),
    m: context.batch * g.input.height * g.input.width,
    n: g.inStride,
    k: g.kernel[0] * g.kernel[1] * g.outStride,
    z: g.group,
    alongA: "k",
    alongB: "k",
    text: specialize(gradInputText, sizes(g)),
  };
  const bindings = [ref("gradOutput"), ref("parameter", 0), ref("gradInput")];
  return { dispatches: [gemmDispatch(problem, context, bindings, tile)] };
}

function gradWeight(g: Geometry, context: OpContext, tile?: GemmTile): OpWork {
  const m = g.kernel[0] * g.kernel[1] * g.inStride;
  const k = context.batch * g.output.height * g.output.width;
  const splits = splitsFor(context.target, { m, n: g.outStride, k, z: g.group });
  const floats = g.group * m * g.outStride;
  const problem: GemmProblem = {
    label: describe(g, "grad-weight"),
    m,
    n: g.outStride,
    k,
    z: g.group,
    alongA: "m",
    alongB: "n",
    splits,
    text: specialize(gradWeightText, {
      ...sizes(g),
      PIXELS: k,
      SPLIT_FLOATS: floats,
      ACCUMULATE: context.accumulate && splits === 1,
    }),
  };
  const target = splits === 1 ? ref("gradParameter", 0) : ref("scratch", 0);
  const bindings = [ref("input"), ref("gradOutput"), target];
  const dispatches = [gemmDispatch(problem, context, bindings, tile)];
  if (splits === 1) return { dispatches };
  dispatches.push(sumOfParts({
    parts: splits,
    floats,
    accumulate: context.accumulate,
    from: ref("scratch", 0),
    to: ref("gradParameter", 0),
    maxWorkgroups: context.target.maxWorkgroups,
  }));
  return { dispatches, scratchBytes: [splits * floats * 4] };
}

function gradBias(g: Geometry, context: OpContext): OpWork {
  const { dispatches, scratchBytes } = columnSum({
    rows: context.batch * g.output.height * g.output.width,
    columns: g.output.stride,
    accumulate: context.accumulate,
    from: ref("gradOutput"),
    scratch: ref("scratch", 1),
    to: ref("gradParameter", 1),
    maxWorkgroups: context.target.maxWorkgroups,
  });
  return { dispatches, scratchBytes: [0, scratchBytes] };
}

function gemmDispatch(
  problem: GemmProblem,
  context: OpContext,
  buffers: ReturnType<typeof ref>[],
  tile?: GemmTile,
): OpDispatch {
  const { kernel, workgroups } = gemmKernel(problem, context.target, tile);
  return { kernel, workgroups, bindings: buffers.map((buffer) => ({ buffer })) };
}
