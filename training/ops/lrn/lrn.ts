/**
 * LRN, local response normalisation across channels, as ONNX, Caffe and PyTorch define it:
 * y[c] = x[c] / s[c]^beta with s[c] = bias + alpha / size * sum of x[j]^2 over the window around c.
 *
 * Backward: dx[c] = dy[c] s[c]^-beta - 2 alpha beta / size x[c] * sum over the window of
 * dy[j] x[j] s[j]^(-beta - 1). It computes s again from x: reading two tensors more costs more than
 * a few multiplications.
 * @module
 */
import { flatWorkgroups, specialize } from "../../gpu/kernel.ts";
import negativePowerText from "../../kernels/negative_power.wgsl" with { type: "text" };
import {
  NO_WORK,
  only,
  type OnnxContext,
  type OnnxPart,
  type Op,
  type OpContext,
  type OpTarget,
  type OpWork,
  PARAMETERLESS,
  ref,
  type Shape,
  type TensorRef,
} from "../op.ts";
import backwardText from "./lrn_backward.wgsl" with { type: "text" };
import forwardText from "./lrn_forward.wgsl" with { type: "text" };
import windowText from "./lrn_window.wgsl" with { type: "text" };

export interface LrnAttributes {
  /** Channels of a window: 1, 3, 5, 7 or 9. */
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  /** Above zero: it keeps padding and dead channels finite. */
  readonly bias: number;
  /** Equal parts of the channels that windows do not leave, each a multiple of four. */
  readonly towers?: number;
}

const THREADS = 64;
/** A window reaches into the next vector on each side and no further. */
const MAX_SIZE = 9;

/** @throws {RangeError} on attributes out of range. */
export function lrn(attributes: LrnAttributes): Op {
  const { size, alpha, beta, bias } = attributes;
  if (size % 2 !== 1 || size < 1 || size > MAX_SIZE) {
    throw new RangeError(`Cannot make LRN: size is ${size} (expected 1, 3, 5, 7 or 9)`);
  }
  if (!(alpha >= 0 && beta >= 0 && bias > 0)) {
    throw new RangeError(
      `Cannot make LRN: alpha ${alpha}, beta ${beta}, bias ${bias} (expected 0 or more, bias above 0)`,
    );
  }
  return {
    ...PARAMETERLESS,
    type: "LRN",
    backwardReads: { inputs: true, outputs: false },
    outputShapes: (inputs) => {
      const input = only(inputs, "LRN");
      towerChannels(input, attributes);
      return [input];
    },
    forward: (context) =>
      work("forward", forwardText, attributes, context, [ref("input"), ref("output")]),
    backward: (context) => {
      if (!context.needsGradInput[0]) return NO_WORK;
      const buffers = [ref("input"), ref("gradOutput"), ref("gradInput")];
      return work("backward", backwardText, attributes, context, buffers);
    },
    toOnnx: (context) => toOnnx(attributes, context),
  };
}

function towerChannels({ channels, flattened }: Shape, { towers = 1 }: LrnAttributes): number {
  if (flattened) throw new RangeError("Cannot apply LRN: its input is a flattened image");
  if (channels % towers !== 0 || (towers > 1 && channels / towers % 4 !== 0)) {
    throw new RangeError(
      `Cannot apply LRN: ${channels} channels in ${towers} towers ` +
        "(expected a multiple of four channels a tower)",
    );
  }
  return channels / towers;
}

/**
 * Vectors of four channels that a thread walks with its window in registers. On a software adapter
 * each load costs the same wherever it goes, so a thread walks its whole tower and loads nothing
 * twice; on a card neighbouring threads share what they load, and more threads hide its latency.
 */
function vectorsPerThread({ family }: OpTarget, towerVectors: number): number {
  return family === "software" ? towerVectors : 1;
}

function work(
  direction: string,
  text: string,
  { size, alpha, beta, bias, towers = 1 }: LrnAttributes,
  context: OpContext,
  buffers: TensorRef[],
): OpWork {
  const { channels, height, width, stride } = context.inputs[0]!;
  const towerVectors = stride / 4 / towers;
  const walk = vectorsPerThread(context.target, towerVectors);
  const threads = context.batch * height * width * towers * Math.ceil(towerVectors / walk);
  return {
    dispatches: [{
      kernel: {
        label: `LRN ${direction} ${channels}x${height}x${width} size ${size} towers ${towers}`,
        code: specialize(negativePowerText + windowText + text, {
          THREADS: threads,
          TOWER_VECTORS: towerVectors,
          VECTORS_PER_THREAD: walk,
          HALF: (size - 1) / 2,
          ALPHA_PER_CHANNEL: alpha / size,
          BETA: beta,
          BIAS: bias,
        }, context.target.precision),
      },
      bindings: buffers.map((buffer) => ({ buffer })),
      workgroups: flatWorkgroups(threads, THREADS, context.target.maxWorkgroups),
    }],
  };
}

function toOnnx(attributes: LrnAttributes, context: OnnxContext): OnnxPart {
  const { name, inputs, outputs, inputShapes } = context;
  const { size, alpha, beta, bias, towers = 1 } = attributes;
  const node = (suffix: string, inputs: readonly string[], outputs: readonly string[]) => ({
    opType: "LRN",
    name: name + suffix,
    inputs,
    outputs,
    attributes: {
      size: { int: size },
      alpha: { float: alpha },
      beta: { float: beta },
      bias: { float: bias },
    },
  });
  if (towers === 1) return { nodes: [node("", inputs, outputs)], initializers: [] };
  const numbers = Array.from({ length: towers }, (_, tower) => tower);
  const parts = numbers.map((tower) => `${name}/tower${tower}`);
  const normalised = numbers.map((tower) => `${name}/normalised${tower}`);
  const sizes = `${name}/sizes`;
  const channels = BigInt(towerChannels(only(inputShapes, "LRN"), attributes));
  const axis = { axis: { int: 1 } };
  return {
    nodes: [
      {
        opType: "Split",
        name: `${name}/split`,
        inputs: [inputs[0]!, sizes],
        outputs: parts,
        attributes: axis,
      },
      ...numbers.map((tower) => node(`/lrn${tower}`, [parts[tower]!], [normalised[tower]!])),
      { opType: "Concat", name: `${name}/concat`, inputs: normalised, outputs, attributes: axis },
    ],
    initializers: [
      { name: sizes, dims: [towers], data: BigInt64Array.from(numbers, () => channels) },
    ],
  };
}
