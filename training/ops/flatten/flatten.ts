/**
 * Flatten: an image becomes one row of numbers. In memory nothing moves: the row keeps the image's
 * NHWC order and padding, and the shape remembers it, so that a following Gemm can order its
 * weights as ONNX's channel-first Flatten needs them.
 * @module
 */
import { NO_WORK, only, type Op, PARAMETERLESS } from "../op.ts";

export function flatten(): Op {
  return {
    ...PARAMETERLESS,
    type: "Flatten",
    backwardReads: { inputs: false, outputs: false },
    outputShapes: (inputs) => {
      const image = only(inputs, "Flatten");
      const { channels, height, width, stride } = image;
      return [{
        channels: channels * height * width,
        height: 1,
        width: 1,
        stride: stride * height * width,
        flattened: image,
      }];
    },
    forward: () => NO_WORK,
    backward: () => NO_WORK,
    toOnnx: ({ name, inputs, outputs }) => ({
      nodes: [{ opType: "Flatten", name, inputs, outputs, attributes: { axis: { int: 1 } } }],
      initializers: [],
    }),
  };
}
