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
  NO_WORK,
  only,
  type Op,
  type OpContext,
  type OpWork,
  PARAMETERLESS,
  ref,
  type Shape,
} from "../op.ts";
import {
  describePool,
  expectPads,
  type PoolAttributes,
  poolBlocks,
  type PoolGeometry,
  poolGeometry,
  poolOnnxAttributes,
  poolSizes,
} from "../pool_geometry.ts";
import backwardText from "./max_pool_backward.wgsl" with { type: "text" };
import forwardText from "./max_pool_forward.wgsl" with { type: "text" };

const WORKGROUP_THREADS = 64;
/** Positions in a window that fit into a byte. */
const MAX_AREA = 256;

/** @throws {RangeError} on a kernel of more than 256 numbers or padding as large as the kernel. */
export function maxPool(attributes: PoolAttributes): Op {
  const { kernel } = attributes;
  if (kernel[0] * kernel[1] > MAX_AREA) {
    throw new RangeError(
      `Cannot make MaxPool: a window of ${kernel.join(" x ")} is too large (expected at most 256)`,
    );
  }
  expectPads("MaxPool", attributes);
  const geometry = (inputs: readonly Shape[]) =>
    poolGeometry("MaxPool", attributes, only(inputs, "MaxPool"));
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
      const attributes = poolOnnxAttributes(geometry(inputShapes));
      return {
        nodes: [{ opType: "MaxPool", name, inputs, outputs, attributes }],
        initializers: [],
      };
    },
  };
}

function forward(g: PoolGeometry, context: OpContext): OpWork {
  const threads = context.batch * floatsOf(g.output) / 4;
  const code = specialize(forwardText, {
    ...poolSizes(g),
    THREADS: threads,
    OVERHANGS: g.pads.some((padding) => padding > 0),
    RELU: context.fusedRelu,
  }, context.target.precision);
  return {
    dispatches: [{
      kernel: { label: describePool("MaxPool forward", g), code },
      bindings: [ref("input"), ref("output"), ref("saved")].map((buffer) => ({ buffer })),
      workgroups: flatWorkgroups(threads, WORKGROUP_THREADS, context.target.maxWorkgroups),
    }],
    savedBytes: [threads * 4],
  };
}

function backward(g: PoolGeometry, context: OpContext): OpWork {
  const blocks = poolBlocks(g);
  const threads = context.batch * blocks.BLOCKS_Y * blocks.BLOCKS_X * g.input.stride / 4;
  const constants = { ...poolSizes(g), ...blocks, THREADS: threads };
  const code = specialize(backwardText, constants, context.target.precision);
  return {
    dispatches: [{
      kernel: { label: describePool("MaxPool backward", g), code },
      bindings: [ref("saved"), ref("gradOutput"), ref("gradInput")].map((buffer) => ({ buffer })),
      workgroups: flatWorkgroups(threads, WORKGROUP_THREADS, context.target.maxWorkgroups),
    }],
  };
}
