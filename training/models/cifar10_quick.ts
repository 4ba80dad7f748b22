/**
 * The net of cuda-convnet that reached 26 % error on CIFAR-10 in 80 seconds (Krizhevsky, 2011,
 * layers-80sec.cfg): three convolutions of 5x5 and two fully connected layers. 145,578 parameters,
 * 12,354,176 multiply-adds an image.
 * @module
 */
import { Graph } from "../graph/graph.ts";
import { flatten } from "../ops/flatten/flatten.ts";
import { gemm } from "../ops/gemm/gemm.ts";
import { imageShape } from "../ops/op.ts";
import { softmaxCrossEntropy } from "../ops/softmax_cross_entropy/softmax_cross_entropy.ts";
import { cifar10Convs, TWICE } from "./cifar10_layers.ts";
import { COMMON, type ModelPreset } from "./preset.ts";
import { activation, AS_PUBLISHED, type Variant } from "./variant.ts";

export const cifar10Quick: ModelPreset = {
  build,
  crop: 32,
  channels: 3,
  classes: 10,
  variants: ["overlap", "activation"],
  // Eight epochs, then two at a tenth of the rate.
  defaults: {
    ...COMMON,
    epochs: 10,
    batchSize: 128,
    learningRate: 0.001,
    schedule: "step",
    dropAt: [0.8],
    decay: 0.004,
    mean: "image",
    standardize: false,
    side: 32,
  },
};

function build(classes: number, variant: Variant = AS_PUBLISHED): Graph {
  const net = new Graph("cifar10-quick", imageShape(3, 32, 32));
  // The fully connected layers decay by 0.03, the convolutions by 0.004.
  const dense = (outputs: number) =>
    gemm({
      outputs,
      weightInit: { kind: "normal", std: 0.1 },
      update: { weight: { decayMultiplier: 7.5 }, ...TWICE },
    });
  let x = cifar10Convs(net, variant);
  x = net.add("flatten", flatten(), x);
  x = net.add("fc64", dense(64), x);
  x = net.add(`${variant.activation}4`, activation(variant), x);
  x = net.add("fc10", dense(classes), x);
  net.add("loss", softmaxCrossEntropy(), x);
  return net;
}
