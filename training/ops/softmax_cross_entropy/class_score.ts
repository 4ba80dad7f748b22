/**
 * The end of a network whose answer is to be explained: forward as the loss, whose probabilities
 * it gives; backward gradLogits = onehot(label), so that what arrives at the image is the gradient
 * of the label's unnormalised score (Simonyan, Vedaldi, Zisserman, "Deep Inside Convolutional
 * Networks", 2013, section 3.1). The gradient of its probability falls to nothing where the network
 * is sure.
 * @module
 */
import { specialize } from "../../gpu/kernel.ts";
import { type Op, ref } from "../op.ts";
import text from "./class_score_backward.wgsl" with { type: "text" };
import { softmaxCrossEntropy } from "./softmax_cross_entropy.ts";

const THREADS = 64;

export function classScore(): Op {
  return {
    ...softmaxCrossEntropy(),
    backwardReads: { inputs: false, outputs: false },
    backward: ({ batch, inputs }) => {
      const { channels, stride } = inputs[0]!;
      return {
        dispatches: [{
          kernel: {
            label: `class score backward ${batch} x ${channels}`,
            code: specialize(text, { BATCH: batch, STRIDE: stride }),
          },
          bindings: [{ buffer: ref("labels") }, { buffer: ref("gradInput") }],
          workgroups: [Math.ceil(batch * stride / 4 / THREADS), 1, 1],
        }],
      };
    },
  };
}
