/**
 * Relu: max(0, x). Backward works in place: the gradient of the output becomes that of the input.
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
import backwardText from "./relu_backward.wgsl" with { type: "text" };
import forwardText from "./relu_forward.wgsl" with { type: "text" };

const THREADS = 64;

export function relu(): Op {
  return {
    ...PARAMETERLESS,
    type: "Relu",
    // The output tells the sign too, and the operators around need it more often than the input.
    backwardReads: { inputs: false, outputs: true },
    outputShapes: (inputs) => [only(inputs, "Relu")],
    forward: (context) => work("forward", forwardText, context, [ref("input"), ref("output")]),
    backward: (context) =>
      context.needsGradInput[0]
        ? work("backward", backwardText, context, [ref("output"), ref("gradOutput")])
        : NO_WORK,
    toOnnx: ({ name, inputs, outputs }) => ({
      nodes: [{ opType: "Relu", name, inputs, outputs, attributes: {} }],
      initializers: [],
    }),
  };
}

function work(direction: string, text: string, context: OpContext, buffers: TensorRef[]): OpWork {
  const vectors = context.batch * floatsOf(context.inputs[0]!) / 4;
  return {
    dispatches: [{
      kernel: {
        label: `Relu ${direction} ${vectors}`,
        code: specialize(text, { VECTORS: vectors }, context.target.precision),
      },
      bindings: buffers.map((buffer) => ({ buffer })),
      workgroups: flatWorkgroups(vectors, THREADS, context.target.maxWorkgroups),
    }],
  };
}
