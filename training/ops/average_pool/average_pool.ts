/**
 * AveragePool: the mean of each window and channel over those of its places that lie in the image;
 * padding does not count (ONNX: `count_include_pad` 0), so a window which overhangs divides by less.
 *
 * Backward gathers, as MaxPool's does: each input adds up the few windows over it, each divided by
 * its count, in a fixed order.
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
import backwardText from "./average_pool_backward.wgsl" with { type: "text" };
import countText from "./average_pool_count.wgsl" with { type: "text" };
import forwardText from "./average_pool_forward.wgsl" with { type: "text" };

const WORKGROUP_THREADS = 64;

/** @throws {RangeError} on padding as large as the kernel. */
export function averagePool(attributes: PoolAttributes): Op {
  expectPads("AveragePool", attributes);
  const geometry = (inputs: readonly Shape[]) =>
    poolGeometry("AveragePool", attributes, only(inputs, "AveragePool"));
  return {
    ...PARAMETERLESS,
    type: "AveragePool",
    backwardReads: { inputs: false, outputs: false },
    outputShapes: (inputs) => [geometry(inputs).output],
    forward: (context) => forward(geometry(context.inputs), context),
    backward: (context) =>
      context.needsGradInput[0] ? backward(geometry(context.inputs), context) : NO_WORK,
    toOnnx: ({ name, inputs, outputs, inputShapes }) => {
      const attributes = {
        ...poolOnnxAttributes(geometry(inputShapes)),
        count_include_pad: { int: 0 },
      };
      return {
        nodes: [{ opType: "AveragePool", name, inputs, outputs, attributes }],
        initializers: [],
      };
    },
  };
}

function forward(g: PoolGeometry, context: OpContext): OpWork {
  const threads = context.batch * floatsOf(g.output) / 4;
  const constants = { ...poolSizes(g), THREADS: threads };
  return {
    dispatches: [{
      kernel: {
        label: describePool("AveragePool forward", g),
        code: specialize(countText + forwardText, constants, context.target.precision),
      },
      bindings: [ref("input"), ref("output")].map((buffer) => ({ buffer })),
      workgroups: flatWorkgroups(threads, WORKGROUP_THREADS, context.target.maxWorkgroups),
    }],
  };
}

function backward(g: PoolGeometry, context: OpContext): OpWork {
  const blocks = poolBlocks(g);
  const threads = context.batch * blocks.BLOCKS_Y * blocks.BLOCKS_X * g.input.stride / 4;
  const sizes = { ...poolSizes(g), ...blocks, THREADS: threads };
  return {
    dispatches: [{
      kernel: {
        label: describePool("AveragePool backward", g),
        code: specialize(countText + backwardText, sizes, context.target.precision),
      },
      bindings: [ref("gradOutput"), ref("gradInput")].map((buffer) => ({ buffer })),
      workgroups: flatWorkgroups(threads, WORKGROUP_THREADS, context.target.maxWorkgroups),
    }],
  };
}
