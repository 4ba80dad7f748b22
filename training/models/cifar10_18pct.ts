/**
 * The 18 % net of cuda-convnet (Krizhevsky, 2011, layers-18pct.cfg): three convolutions of 5x5 on
 * 32x32 pictures, overlapping pooling, two normalisations, one fully connected layer. 89,578
 * parameters, 12,298,240 multiply-adds an image. Its name is its published error on CIFAR-10.
 *
 * As in AlexNet's first layer, pooling comes before the first ReLU. Sizes round up (32, 16, 8, 4),
 * and the mean of a window that overhangs is over what it has. Different from the original, whose
 * normalisation looks at a 3x3 square of one map: LRN here runs over three channels, with its
 * scale 5e-5, power 0.75 and 1 to start from. Weights start by He's rule in place of N(0, 0.0001)
 * and N(0, 0.01), which ask for its schedule by hand.
 * @module
 */
import { Graph } from "../graph/graph.ts";
import { averagePool } from "../ops/average_pool/average_pool.ts";
import { conv } from "../ops/conv/conv.ts";
import { flatten } from "../ops/flatten/flatten.ts";
import { gemm } from "../ops/gemm/gemm.ts";
import { lrn } from "../ops/lrn/lrn.ts";
import { maxPool } from "../ops/max_pool/max_pool.ts";
import { imageShape } from "../ops/op.ts";
import { relu } from "../ops/relu/relu.ts";
import { softmaxCrossEntropy } from "../ops/softmax_cross_entropy/softmax_cross_entropy.ts";
import { heInit } from "./init.ts";
import { COMMON, type ModelPreset } from "./preset.ts";

export const cifar10EighteenPercent: ModelPreset = {
  build,
  crop: 32,
  channels: 3,
  classes: 10,
  // Batch 128, decay 0.004 and a bias rate of twice the weights' are the original's; its rate of
  // 0.001, lowered by hand, is a cosine from 0.01 here.
  defaults: {
    ...COMMON,
    epochs: 60,
    batchSize: 128,
    learningRate: 0.01,
    decay: 0.004,
    flip: true,
    side: 32,
  },
};

const POOL = { kernel: [3, 3], strides: [2, 2], ceilMode: true } as const;
const LRN = { size: 3, alpha: 5e-5, beta: 0.75, bias: 1 } as const;

function build(classes: number): Graph {
  const conv5 = (inputs: number, outChannels: number) =>
    conv({
      outChannels,
      kernel: [5, 5],
      pads: [2, 2, 2, 2],
      weightInit: heInit(inputs * 25),
      update: { bias: { rateMultiplier: 2 } },
    });
  const net = new Graph("cifar10-18pct", imageShape(3, 32, 32));
  let x = net.add("conv1", conv5(3, 32), net.input);
  x = net.add("pool1", maxPool(POOL), x);
  x = net.add("relu1", relu(), x);
  x = net.add("norm1", lrn(LRN), x);

  x = net.add("conv2", conv5(32, 32), x);
  x = net.add("relu2", relu(), x);
  x = net.add("pool2", averagePool(POOL), x);
  x = net.add("norm2", lrn(LRN), x);

  x = net.add("conv3", conv5(32, 64), x);
  x = net.add("relu3", relu(), x);
  x = net.add("pool3", averagePool(POOL), x);

  x = net.add("flatten", flatten(), x);
  // The original decays this layer 250 times as much as the convolutions (1 against 0.004).
  const fc = gemm({
    outputs: classes,
    weightInit: heInit(64 * 16),
    update: { bias: { rateMultiplier: 2 } },
  });
  x = net.add("fc10", fc, x);
  net.add("loss", softmaxCrossEntropy(), x);
  return net;
}
