/**
 * AlexNet in one tower: Krizhevsky, "One weird trick for parallelizing convolutional neural
 * networks", 2014, in the form that torchvision's `alexnet` made common: no groups, no
 * normalisation, a dropout in front of fc6 and of fc7. 61,100,840 parameters, 714,188,480
 * multiply-adds an image.
 *
 * Dropout is inverted, as torchvision's: what is kept is doubled in training and evaluation changes
 * nothing, so its published weights mean the same here. Weights start by He's rule; torchvision's
 * default is uniform and a good deal smaller.
 * @module
 */
import { Graph, type Tensor } from "../graph/graph.ts";
import { conv } from "../ops/conv/conv.ts";
import { dropout } from "../ops/dropout/dropout.ts";
import { flatten } from "../ops/flatten/flatten.ts";
import { gemm } from "../ops/gemm/gemm.ts";
import { imageShape } from "../ops/op.ts";
import { softmaxCrossEntropy } from "../ops/softmax_cross_entropy/softmax_cross_entropy.ts";
import { heInit } from "./init.ts";
import { COMMON, type ModelPreset } from "./preset.ts";
import { activation, AS_PUBLISHED, overlappingMaxPool, type Variant } from "./variant.ts";

export const alexnetOwt: ModelPreset = {
  build,
  crop: 224,
  channels: 3,
  classes: 1000,
  variants: ["overlap", "activation", "dropout"],
  // The recipe of alexnet; torchvision trains its one with the same rate and number of epochs.
  defaults: {
    ...COMMON,
    epochs: 90,
    batchSize: 128,
    learningRate: 0.01,
    schedule: "step",
    randomCrop: true,
    flip: true,
    side: 256,
  },
};

/** Channels in, channels out, kernel, stride, padding on every side. */
const CONVS = [
  [3, 64, 11, 4, 2],
  [64, 192, 5, 1, 2],
  [192, 384, 3, 1, 1],
  [384, 256, 3, 1, 1],
  [256, 256, 3, 1, 1],
] as const;
const POOLED = [1, 2, 5];

function build(classes: number, variant: Variant = AS_PUBLISHED): Graph {
  const net = new Graph("alexnet-owt", imageShape(3, 224, 224));
  const activate = (layer: number, x: Tensor) =>
    net.add(`${variant.activation}${layer}`, activation(variant), x);
  let x = net.input;
  for (const [index, [inputs, outChannels, k, stride, pad]] of CONVS.entries()) {
    const layer = index + 1;
    const convolution = conv({
      outChannels,
      kernel: [k, k],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      weightInit: heInit(inputs * k * k),
    });
    x = net.add(`conv${layer}`, convolution, x);
    x = activate(layer, x);
    if (POOLED.includes(layer)) x = net.add(`pool${layer}`, overlappingMaxPool(variant), x);
  }
  const drop = (layer: number, x: Tensor) =>
    variant.dropout ? net.add(`drop${layer}`, dropout({ ratio: 0.5, inverted: true }), x) : x;
  x = net.add("flatten", flatten(), x);
  x = drop(6, x);
  x = net.add("fc6", gemm({ outputs: 4096, weightInit: heInit(9216) }), x);
  x = activate(6, x);
  x = drop(7, x);
  x = net.add("fc7", gemm({ outputs: 4096, weightInit: heInit(4096) }), x);
  x = activate(7, x);
  x = net.add("fc8", gemm({ outputs: classes, weightInit: heInit(4096) }), x);
  net.add("loss", softmaxCrossEntropy(), x);
  return net;
}
