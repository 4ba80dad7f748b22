/**
 * The 18 % net of cuda-convnet (Krizhevsky, 2011, layers-18pct.cfg): the three convolutions with a
 * normalisation of 3x3 within each map, one fully connected layer. 89,578 parameters, 12,298,240
 * multiply-adds an image. Its name is its published error on CIFAR-10, without any change of the
 * pictures.
 * @module
 */
import { Graph } from "../graph/graph.ts";
import { flatten } from "../ops/flatten/flatten.ts";
import { gemm } from "../ops/gemm/gemm.ts";
import { imageShape } from "../ops/op.ts";
import { softmaxCrossEntropy } from "../ops/softmax_cross_entropy/softmax_cross_entropy.ts";
import { cifar10Convs, TWICE } from "./cifar10_layers.ts";
import { COMMON, type ModelPreset } from "./preset.ts";
import { AS_PUBLISHED, type Variant } from "./variant.ts";

export const cifar10EighteenPercent: ModelPreset = {
  build,
  crop: 32,
  channels: 3,
  classes: 10,
  variants: ["lrn", "overlap", "activation"],
  // 120 epochs, ten at a tenth of the rate, ten at a hundredth.
  defaults: {
    ...COMMON,
    epochs: 140,
    batchSize: 128,
    learningRate: 0.001,
    schedule: "step",
    dropAt: [120 / 140, 130 / 140],
    decay: 0.004,
    mean: "image",
    standardize: false,
    side: 32,
  },
};

function build(classes: number, variant: Variant = AS_PUBLISHED): Graph {
  const net = new Graph("cifar10-18pct", imageShape(3, 32, 32));
  let x = cifar10Convs(net, variant, { size: 3, alpha: 5e-5, beta: 0.75, bias: 1 });
  x = net.add("flatten", flatten(), x);
  // This layer decays by 1, the convolutions by 0.004.
  const fc = gemm({
    outputs: classes,
    weightInit: { kind: "normal", std: 0.01 },
    update: { weight: { decayMultiplier: 250 }, ...TWICE },
  });
  x = net.add("fc10", fc, x);
  net.add("loss", softmaxCrossEntropy(), x);
  return net;
}
