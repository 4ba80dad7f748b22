/**
 * LeNet-5: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document
 * Recognition", 1998, with ReLU, max-pooling, a fully connected C3 and a softmax as is usual since.
 * 61,706 parameters, 416,520 multiply-adds an image. The 32x32 input of the paper is 28x28 here
 * with a padding of two, which is the same.
 * @module
 */
import { Graph, type Tensor } from "../graph/graph.ts";
import { conv } from "../ops/conv/conv.ts";
import { flatten } from "../ops/flatten/flatten.ts";
import { gemm } from "../ops/gemm/gemm.ts";
import { maxPool } from "../ops/max_pool/max_pool.ts";
import { imageShape } from "../ops/op.ts";
import { softmaxCrossEntropy } from "../ops/softmax_cross_entropy/softmax_cross_entropy.ts";
import { heInit } from "./init.ts";
import { COMMON, type ModelPreset } from "./preset.ts";
import { activation, AS_PUBLISHED, type Variant } from "./variant.ts";

export const lenet5: ModelPreset = {
  build,
  crop: 28,
  channels: 1,
  classes: 10,
  variants: ["activation"],
  defaults: {
    ...COMMON,
    epochs: 6,
    batchSize: 64,
    learningRate: 0.02,
    decay: 0.002,
    side: 28,
  },
};

function build(classes: number, variant: Variant = AS_PUBLISHED): Graph {
  const activate = (layer: number, x: Tensor) =>
    net.add(`${variant.activation}${layer}`, activation(variant), x);
  const pool = () => maxPool({ kernel: [2, 2], strides: [2, 2] });
  const net = new Graph("lenet5", imageShape(1, 28, 28));
  const c1 = conv({
    outChannels: 6,
    kernel: [5, 5],
    pads: [2, 2, 2, 2],
    weightInit: heInit(1 * 25),
  });
  let x = net.add("conv1", c1, net.input);
  x = activate(1, x);
  x = net.add("pool1", pool(), x);

  x = net.add("conv2", conv({ outChannels: 16, kernel: [5, 5], weightInit: heInit(6 * 25) }), x);
  x = activate(2, x);
  x = net.add("pool2", pool(), x);

  x = net.add("flatten", flatten(), x);
  x = net.add("fc1", gemm({ outputs: 120, weightInit: heInit(400) }), x);
  x = activate(3, x);
  x = net.add("fc2", gemm({ outputs: 84, weightInit: heInit(120) }), x);
  x = activate(4, x);
  x = net.add("fc3", gemm({ outputs: classes, weightInit: heInit(84) }), x);
  net.add("loss", softmaxCrossEntropy(), x);
  return net;
}
