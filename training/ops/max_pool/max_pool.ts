/**
 * MaxPool: the largest number of each window and channel; of equals the first in row order.
 *
 * Forward saves where in its window each maximum was, a byte a channel. Backward gathers: each input
 * asks the few windows over it whether it was their maximum, so nothing is added by atomics and equal
 * inputs give equal bits.
 * @module
 */
import { flatWorkgroups, specialize } from "../../gpu/kernel.ts";
import {
  floatsOf,
  imageShape,
  NO_WORK,
  only,
  type Op,
  type OpContext,
  type OpWork,
  PARAMETERLESS,
  ref,
  type Shape,
} from "../op.ts";
import backwardText from "./max_pool_backward.wgsl" with { type: "text" };
import forwardText from "./max_pool_forward.wgsl" with { type: "text" };

export interface MaxPoolAttributes {
  /** [height, width], at most 256 numbers a window. */
  readonly kernel: readonly [number, number];
  readonly strides?: readonly [number, number];
  /** As ONNX: [top, left, bottom, right], each smaller than the kernel; never the maximum. */
  readonly pads?: readonly [number, number, number, number];
  /** Output sizes round up; a window must still begin before the padding at the end. */
  readonly ceilMode?: boolean;
}

interface Geometry {
  readonly input: Shape;
  readonly output: Shape;
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  /** [top, left, bottom, right] with which rounding down gives the output's size. */
  readonly pads: readonly [number, number, number, number];
}

const WORKGROUP_THREADS = 64;
/** Positions in a window that fit into a byte. */
const MAX_AREA = 256;

/** @throws {RangeError} on a kernel of more than 256 numbers or padding as large as the kernel. */
export function maxPool(attributes: MaxPoolAttributes): Op {
  const { kernel, pads = [0, 0, 0, 0] } = attributes;
  if (kernel[0] * kernel[1] > MAX_AREA) {
    throw new RangeError(
      `Cannot make MaxPool: a window of ${kernel.join(" x ")} is too large (expected at most 256)`,
    );
  }
  if (pads.some((padding, side) => padding < 0 || padding >= kernel[side % 2]!)) {
    throw new RangeError(
      `Cannot make MaxPool: pads [${pads}] (expected 0 or more, less than the kernel [${kernel}])`,
    );
  }
  const geometry = (inputs: readonly Shape[]) => geometryOf(attributes, only(inputs, "MaxPool"));
  return {
    ...PARAMETERLESS,
    type: "MaxPool",
    backwardReads: { inputs: false, outputs: false },
    canFuseRelu: true,
    outputShapes: (inputs) => [geometry(inputs).output],
    forward: (context) => forward(geometry(context.inputs), context),
    backward: (context) =>
      context.needsGradInput[0] ? backward(geometry(context.inputs), context) : NO_WORK,
    toOnnx: ({ name, inputs, outputs, inputShapes }) => {
      const { kernel, strides, pads } = geometry(inputShapes);
      return {
        nodes: [{
          opType: "MaxPool",
          name,
          inputs,
          outputs,
          // Padding in place of ceil_mode: up to operator set 21 the specification lets a window
          // begin in the padding at the end, and runtimes differ.
          attributes: {
            kernel_shape: { ints: kernel },
            strides: { ints: strides },
            pads: { ints: pads },
          },
        }],
        initializers: [],
      };
    },
  };
}

function geometryOf(attributes: MaxPoolAttributes, input: Shape): Geometry {
  const { kernel, strides = kernel, pads = [0, 0, 0, 0], ceilMode = false } = attributes;
  const [height, bottom] = alongAxis(input.height, kernel[0], strides[0], pads[0], pads[2]);
  const [width, right] = alongAxis(input.width, kernel[1], strides[1], pads[1], pads[3]);
  return {
    input,
    output: imageShape(input.channels, height, width),
    kernel,
    strides,
    pads: [pads[0], pads[1], bottom, right],
  };

  /** Windows and the padding at the end which holds them. */
  function alongAxis(size: number, window: number, stride: number, begin: number, end: number) {
    const steps = (begin + size + end - window) / stride;
    if (steps < 0) {
      throw new RangeError(
        `Cannot apply MaxPool: a window of ${window} does not fit into ${begin + size + end}`,
      );
    }
    if (!ceilMode) return [Math.floor(steps) + 1, end] as const;
    let windows = Math.ceil(steps) + 1;
    if ((windows - 1) * stride >= begin + size) windows--;
    return [windows, Math.max(0, (windows - 1) * stride + window - begin - size)] as const;
  }
}

function sizes(g: Geometry) {
  return {
    IN_HEIGHT: g.input.height,
    IN_WIDTH: g.input.width,
    OUT_HEIGHT: g.output.height,
    OUT_WIDTH: g.output.width,
    PIXEL_VECTORS: g.input.stride / 4,
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
  return `MaxPool ${direction} ${i.channels}x${i.height}x${i.width} -> ${o.height}x${o.width} ` +
    `k${g.kernel} s${g.strides}`;
}

function forward(g: Geometry, context: OpContext): OpWork {
  const threads = context.batch * floatsOf(g.output) / 4;
  const code = specialize(forwardText, {
    ...sizes(g),
    THREADS: threads,
    OVERHANGS: g.pads.some((padding) => padding > 0),
    RELU: context.fusedRelu,
  });
  return {
    dispatches: [{
      kernel: { label: describe(g, "forward"), code },
      bindings: [ref("input"), ref("output"), ref("saved")].map((buffer) => ({ buffer })),
      workgroups: flatWorkgroups(threads, WORKGROUP_THREADS, context.target.maxWorkgroups),
    }],
    savedBytes: [threads * 4],
  };
}

function backward(g: Geometry, context: OpContext): OpWork {
  const { input, kernel, strides, pads } = g;
  const blocksY = Math.ceil((pads[0] + input.height) / strides[0]);
  const blocksX = Math.ceil((pads[1] + input.width) / strides[1]);
  const threads = context.batch * blocksY * blocksX * input.stride / 4;
  const code = specialize(backwardText, {
    ...sizes(g),
    THREADS: threads,
    BLOCKS_Y: blocksY,
    BLOCKS_X: blocksX,
    REACH_Y: Math.ceil(kernel[0] / strides[0]),
    REACH_X: Math.ceil(kernel[1] / strides[1]),
  });
  return {
    dispatches: [{
      kernel: { label: describe(g, "backward"), code },
      bindings: [ref("saved"), ref("gradOutput"), ref("gradInput")].map((buffer) => ({ buffer })),
      workgroups: flatWorkgroups(threads, WORKGROUP_THREADS, context.target.maxWorkgroups),
    }],
  };
}
