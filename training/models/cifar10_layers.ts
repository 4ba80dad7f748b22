/**
 * The three convolutions that cuda-convnet's quick nets for CIFAR-10 share (Krizhevsky, 2011). As in
 * AlexNet's first layer, the first pooling comes before its ReLU. Sizes round up (32, 16, 8, 4), and
 * the mean of a window that overhangs is over what it has.
 * @module
 */
import type { Graph, Tensor } from "../graph/graph.ts";
import { averagePool } from "../ops/average_pool/average_pool.ts";
import { conv } from "../ops/conv/conv.ts";
import { sameMapLrn, type SameMapLrnAttributes } from "../ops/same_map_lrn/same_map_lrn.ts";
import { activation, overlappingMaxPool, type Variant } from "./variant.ts";

const POOL = { kernel: [3, 3], strides: [2, 2], ceilMode: true } as const;

/** Biases learn at twice the rate of the weights: 0.002 and 0.001 in the layer files. */
export const TWICE = { bias: { rateMultiplier: 2 } };

/** @param norm between the layers, where the net has it */
export function cifar10Convs(net: Graph, variant: Variant, norm?: SameMapLrnAttributes): Tensor {
  const conv5 = (outChannels: number, std: number) =>
    conv({
      outChannels,
      kernel: [5, 5],
      pads: [2, 2, 2, 2],
      weightInit: { kind: "normal", std },
      update: TWICE,
    });
  const activate = (layer: number, x: Tensor) =>
    net.add(`${variant.activation}${layer}`, activation(variant), x);
  const normalise = (layer: number, x: Tensor) =>
    norm && variant.lrn ? net.add(`norm${layer}`, sameMapLrn(norm), x) : x;

  let x = net.add("conv1", conv5(32, 0.0001), net.input);
  x = net.add("pool1", overlappingMaxPool(variant), x);
  x = normalise(1, activate(1, x));

  x = activate(2, net.add("conv2", conv5(32, 0.01), x));
  x = net.add("pool2", averagePool(POOL), x);
  x = normalise(2, x);

  x = activate(3, net.add("conv3", conv5(64, 0.01), x));
  return net.add("pool3", averagePool(POOL), x);
}
