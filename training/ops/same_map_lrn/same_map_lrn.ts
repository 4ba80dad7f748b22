/**
 * Local response normalisation within a map (cuda-convnet's `rnorm`): y = x / s^beta with
 * s = bias + alpha / size^2 * sum of x^2 over the size x size square around a place of one channel.
 * What a square has outside of the image is zero.
 *
 * Backward: dx = dy s^-beta - 2 alpha beta / size^2 x * sum over the square of dy x s^(-beta - 1):
 * a first pass computes the terms of that sum, a second one adds them up.
 * @module
 */
import { flatWorkgroups, specialize } from "../../gpu/kernel.ts";
import negativePowerText from "../../kernels/negative_power.wgsl" with { type: "text" };
import {
  floatsOf,
  NO_WORK,
  only,
  type OnnxContext,
  type OnnxPart,
  type Op,
  type OpContext,
  type OpDispatch,
  PARAMETERLESS,
  ref,
  type TensorRef,
} from "../op.ts";
import forwardText from "./same_map_lrn_forward.wgsl" with { type: "text" };
import spreadText from "./same_map_lrn_spread.wgsl" with { type: "text" };
import gatherText from "./same_map_lrn_gather.wgsl" with { type: "text" };
import squareText from "./same_map_lrn_square.wgsl" with { type: "text" };

export interface SameMapLrnAttributes {
  /** Side of a square, odd. */
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  /** Above zero: it keeps padding and dead channels finite. */
  readonly bias: number;
}

const THREADS = 64;

/** @throws {RangeError} on attributes out of range. */
export function sameMapLrn(attributes: SameMapLrnAttributes): Op {
  const { size, alpha, beta, bias } = attributes;
  if (!Number.isInteger(size) || size % 2 !== 1 || size < 1) {
    throw new RangeError(`Cannot make SameMapLRN: size is ${size} (expected an odd number)`);
  }
  if (!(alpha >= 0 && beta >= 0 && bias > 0)) {
    throw new RangeError(
      `Cannot make SameMapLRN: alpha ${alpha}, beta ${beta}, bias ${bias} ` +
        "(expected 0 or more, bias above 0)",
    );
  }
  const pass = (name: string, text: string, context: OpContext, buffers: TensorRef[]) =>
    dispatch(name, text, attributes, context, buffers);
  return {
    ...PARAMETERLESS,
    type: "SameMapLRN",
    backwardReads: { inputs: true, outputs: false },
    outputShapes: (inputs) => [only(inputs, "SameMapLRN")],
    forward: (context) => ({
      dispatches: [
        pass("forward", negativePowerText + forwardText, context, [ref("input"), ref("output")]),
      ],
    }),
    backward: (context) => {
      if (!context.needsGradInput[0]) return NO_WORK;
      const { batch, inputs } = context;
      const spread = [ref("input"), ref("gradOutput"), ref("gradInput"), ref("scratch")];
      const gather = [ref("scratch"), ref("input"), ref("gradInput")];
      return {
        dispatches: [
          pass("spread", negativePowerText + spreadText, context, spread),
          pass("gather", gatherText, context, gather),
        ],
        scratchBytes: [batch * floatsOf(inputs[0]!) * 4],
      };
    },
    toOnnx: (context) => toOnnx(attributes, context),
  };
}

function dispatch(
  name: string,
  text: string,
  { size, alpha, beta, bias }: SameMapLrnAttributes,
  { batch, inputs, target }: OpContext,
  buffers: TensorRef[],
): OpDispatch {
  const { channels, height, width, stride } = inputs[0]!;
  const vectors = batch * floatsOf(inputs[0]!) / 4;
  const gathers = name === "gather";
  return {
    kernel: {
      label: `SameMapLRN ${name} ${channels}x${height}x${width} size ${size}`,
      code: specialize(squareText + text, {
        VECTORS: vectors,
        HEIGHT: height,
        WIDTH: width,
        PIXEL_VECTORS: stride / 4,
        HALF: (size - 1) / 2,
        ...gathers
          ? { FACTOR: 2 * alpha * beta / size ** 2 }
          : { SCALE: alpha / size ** 2, BETA: beta, BIAS: bias },
      }, target.precision),
    },
    bindings: buffers.map((buffer) => ({ buffer })),
    workgroups: flatWorkgroups(vectors, THREADS, target.maxWorkgroups),
  };
}

/** ONNX has no such operator: the mean of the squares is an AveragePool that counts its padding. */
function toOnnx(attributes: SameMapLrnAttributes, context: OnnxContext): OnnxPart {
  const { name, inputs: [input], outputs } = context;
  const { size, alpha, beta, bias } = attributes;
  const half = (size - 1) / 2;
  const at = (part: string) => `${name}/${part}`;
  const node = (opType: string, part: string, inputs: string[], output = at(part)) => ({
    opType,
    name: at(part),
    inputs,
    outputs: [output],
    attributes: {},
  });
  const constant = (part: string, value: number) => ({
    name: at(part),
    dims: [],
    data: Float32Array.of(value),
  });
  return {
    nodes: [
      node("Mul", "squares", [input!, input!]),
      {
        ...node("AveragePool", "mean", [at("squares")]),
        attributes: {
          kernel_shape: { ints: [size, size] },
          strides: { ints: [1, 1] },
          pads: { ints: [half, half, half, half] },
          count_include_pad: { int: 1 },
        },
      },
      node("Mul", "scaled", [at("mean"), at("alpha")]),
      node("Add", "base", [at("scaled"), at("bias")]),
      node("Pow", "power", [at("base"), at("beta")]),
      node("Div", "quotient", [input!, at("power")], outputs[0]!),
    ],
    initializers: [constant("alpha", alpha), constant("bias", bias), constant("beta", beta)],
  };
}
