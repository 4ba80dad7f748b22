/**
 * Tanh: what networks had before ReLUs. Backward reads the output: dx = dy (1 - y^2).
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
  type TensorRef,
} from "../op.ts";
import backwardText from "./tanh_backward.wgsl" with { type: "text" };
import forwardText from "./tanh_forward.wgsl" with { type: "text" };

const THREADS = 64;

export function tanh(): Op {
  return {
    ...PARAMETERLESS,
    type: "Tanh",
    backwardReads: { inputs: false, outputs: true },
    outputShapes: (inputs) => [only(inputs, "Tanh")],
    forward: (context) => work("forward", forwardText, context, [ref("input"), ref("output")]),
    backward: (context) => {
      if (!context.needsGradInput[0]) return NO_WORK;
      const buffers = [ref("output"), ref("gradOutput"), ref("gradInput")];
      return work("backward", backwardText, context, buffers);
    },
    toOnnx: ({ name, inputs, outputs }) => ({
      nodes: [{ opType: "Tanh", name, inputs, outputs, attributes: {} }],
      initializers: [],
    }),
  };
}

function work(direction: string, text: string, context: OpContext, buffers: TensorRef[]): OpWork {
  const vectors = context.batch * floatsOf(context.inputs[0]!) / 4;
  return {
    dispatches: [{
      kernel: {
        label: `Tanh ${direction} ${vectors}`,
        code: specialize(text, { VECTORS: vectors }, context.target.precision),
      },
      bindings: buffers.map((buffer) => ({ buffer })),
      workgroups: flatWorkgroups(vectors, THREADS, context.target.maxWorkgroups),
    }],
  };
}
