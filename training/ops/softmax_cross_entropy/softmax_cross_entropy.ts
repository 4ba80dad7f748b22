/**
 * Softmax with the cross-entropy loss, the end of a network.
 *
 * - forward: probabilities p = softmax(logits), and of each image its loss -log p[label], whether
 *   the label is not the first, and whether it is not among the first five (ties count against it);
 * - backward: gradLogits = (p - onehot(label)) / loss batch, times the loss scale.
 *
 * Probabilities are float32 in any precision: of a label that is nearly certain, 1 - p is all that
 * backward has.
 *
 * The mean over the batch is in the gradient; losses are per image, so that the caller adds them up
 * where it wants to. In ONNX it is a plain Softmax.
 * @module
 */
import { specialize } from "../../gpu/kernel.ts";
import lossScaleText from "../../kernels/loss_scale/loss_scale_state.wgsl" with { type: "text" };
import { only, type Op, type OpContext, PARAMETERLESS, ref } from "../op.ts";
import forwardText from "./softmax_cross_entropy_forward.wgsl" with { type: "text" };
import backwardText from "./softmax_cross_entropy_backward.wgsl" with { type: "text" };

const THREADS = 64;

export function softmaxCrossEntropy(): Op {
  return {
    ...PARAMETERLESS,
    type: "SoftmaxCrossEntropy",
    exactOutputs: true,
    backwardReads: { inputs: false, outputs: true },
    outputShapes: (inputs) => {
      const logits = only(inputs, "SoftmaxCrossEntropy");
      if (logits.height !== 1 || logits.width !== 1 || logits.flattened) {
        throw new RangeError(
          "Cannot apply SoftmaxCrossEntropy: its input is not one row of logits",
        );
      }
      return [logits];
    },
    forward: (context) => ({
      dispatches: [{
        kernel: kernel("forward", forwardText, context),
        bindings: [ref("input"), ref("labels"), ref("output"), ref("losses")].map((buffer) => ({
          buffer,
        })),
        workgroups: [Math.ceil(context.batch / THREADS), 1, 1],
      }],
    }),
    backward: (context) => ({
      dispatches: [{
        kernel: kernel("backward", lossScaleText + backwardText, context, {
          SHARE: 1 / context.lossBatch,
        }),
        bindings: [ref("output"), ref("labels"), ref("gradInput"), ref("lossScale")].map((
          buffer,
        ) => ({ buffer })),
        workgroups: [Math.ceil(context.batch * context.inputs[0]!.stride / 4 / THREADS), 1, 1],
      }],
    }),
    toOnnx: ({ name, inputs, outputs }) => ({
      nodes: [{ opType: "Softmax", name, inputs, outputs, attributes: { axis: { int: 1 } } }],
      initializers: [],
    }),
  };
}

function kernel(direction: string, text: string, context: OpContext, more = {}) {
  const { channels, stride } = context.inputs[0]!;
  const constants = { BATCH: context.batch, CLASSES: channels, STRIDE: stride, ...more };
  return {
    label: `SoftmaxCrossEntropy ${direction} ${context.batch} x ${channels}`,
    code: specialize(text, constants, context.target.precision),
  };
}
