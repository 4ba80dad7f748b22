/**
 * The four layers behind cuda-convnet's best errors on CIFAR-10 (Krizhevsky, 2012): two convolutions
 * of 5x5 and two locally connected layers of 3x3, on random crops and reflections; sizes come from
 * outside.
 * @module
 */
import { Graph, type Tensor } from "../graph/graph.ts";
import { conv } from "../ops/conv/conv.ts";
import { flatten } from "../ops/flatten/flatten.ts";
import { gemm } from "../ops/gemm/gemm.ts";
import { locallyConnected } from "../ops/locally_connected/locally_connected.ts";
import { lrn, type LrnAttributes } from "../ops/lrn/lrn.ts";
import { imageShape } from "../ops/op.ts";
import { softmaxCrossEntropy } from "../ops/softmax_cross_entropy/softmax_cross_entropy.ts";
import type { Settings } from "../settings.ts";
import { COMMON } from "./preset.ts";
import { activation, AS_PUBLISHED, overlappingMaxPool, type Variant } from "./variant.ts";

export interface LocalLayers {
  readonly name: string;
  readonly crop: number;
  /** Channels of conv1 and conv2, and of local3 and local4. */
  readonly channels: { readonly conv: number; readonly local: number };
  readonly classes: number;
  /** Across maps, behind each convolution, where the net has it. */
  readonly lrn?: LrnAttributes;
}

/** The sizes of the published nets. */
export const LOCAL_NET = { crop: 24, channels: { conv: 64, local: 32 } } as const;

/**
 * About 450 epochs, ten at a tenth of the rate, ten at a hundredth: the steps that
 * layer-params-conv-local-11pct.cfg describes.
 */
export const LOCAL_NET_SETTINGS: Settings = {
  ...COMMON,
  epochs: 470,
  batchSize: 128,
  learningRate: 0.001,
  schedule: "step",
  dropAt: [450 / 470, 460 / 470],
  decay: 0.004,
  randomCrop: true,
  flip: true,
  mean: "image",
  standardize: false,
  side: 32,
};

const normal = (std: number) => ({ kind: "normal", std }) as const;

export function localNetGraph(layers: LocalLayers, variant: Variant = AS_PUBLISHED): Graph {
  const { name, crop, channels, classes } = layers;
  const net = new Graph(name, imageShape(3, crop, crop));
  const twice = { bias: { rateMultiplier: 2 } };
  const activate = (layer: number, x: Tensor) =>
    net.add(`${variant.activation}${layer}`, activation(variant), x);
  let x = net.input;
  // The convolutions do not decay.
  for (const [index, std] of [0.0001, 0.01].entries()) {
    const layer = index + 1;
    const convolution = conv({
      outChannels: channels.conv,
      kernel: [5, 5],
      pads: [2, 2, 2, 2],
      weightInit: normal(std),
      update: { weight: { decayMultiplier: 0 }, ...twice },
    });
    x = activate(layer, net.add(`conv${layer}`, convolution, x));
    if (layers.lrn && variant.lrn) x = net.add(`norm${layer}`, lrn(layers.lrn), x);
    x = net.add(`pool${layer}`, overlappingMaxPool(variant), x);
  }
  for (const layer of [3, 4]) {
    const local = locallyConnected({
      outChannels: channels.local,
      kernel: [3, 3],
      pads: [1, 1, 1, 1],
      weightInit: normal(0.04),
      update: twice,
    });
    x = activate(layer, net.add(`local${layer}`, local, x));
  }
  x = net.add("flatten", flatten(), x);
  x = net.add("fc10", gemm({ outputs: classes, weightInit: normal(0.01), update: twice }), x);
  net.add("loss", softmaxCrossEntropy(), x);
  return net;
}
