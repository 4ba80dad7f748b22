/**
 * The eight layers of AlexNet, which `alexnet` and `alexnet-small` share; sizes come from outside.
 *
 * The order is that of the published code: the first layer normalises and pools before its ReLU.
 * The encyclopedia writes it (CNN -> RN -> MP)^2 -> (CNN^3 -> MP) -> (FC -> DO)^2 -> Linear ->
 * softmax. Left out is the code's same-map normalisation after the second layer, which the paper
 * does not have.
 * @module
 */
import { Graph } from "../graph/graph.ts";
import { conv, type ConvAttributes } from "../ops/conv/conv.ts";
import { dropout } from "../ops/dropout/dropout.ts";
import { flatten } from "../ops/flatten/flatten.ts";
import { gemm, type GemmAttributes } from "../ops/gemm/gemm.ts";
import { lrn, type LrnAttributes } from "../ops/lrn/lrn.ts";
import { maxPool } from "../ops/max_pool/max_pool.ts";
import { imageShape } from "../ops/op.ts";
import { relu } from "../ops/relu/relu.ts";
import { softmaxCrossEntropy } from "../ops/softmax_cross_entropy/softmax_cross_entropy.ts";

export interface AlexNetLayers {
  readonly name: string;
  /** Height and width of the square RGB input. */
  readonly crop: number;
  readonly convs: readonly [
    ConvAttributes,
    ConvAttributes,
    ConvAttributes,
    ConvAttributes,
    ConvAttributes,
  ];
  readonly dense: readonly [GemmAttributes, GemmAttributes, GemmAttributes];
  readonly lrn: LrnAttributes;
  readonly dropout: number;
}

export function alexnetGraph(layers: AlexNetLayers): Graph {
  const { convs, dense } = layers;
  const pool = () => maxPool({ kernel: [3, 3], strides: [2, 2], ceilMode: true });
  const net = new Graph(layers.name, imageShape(3, layers.crop, layers.crop));
  let x = net.add("conv1", conv(convs[0]), net.input);
  x = net.add("norm1", lrn(layers.lrn), x);
  x = net.add("pool1", pool(), x);
  x = net.add("relu1", relu(), x);

  x = net.add("conv2", conv(convs[1]), x);
  x = net.add("relu2", relu(), x);
  x = net.add("norm2", lrn(layers.lrn), x);
  x = net.add("pool2", pool(), x);

  x = net.add("conv3", conv(convs[2]), x);
  x = net.add("relu3", relu(), x);
  x = net.add("conv4", conv(convs[3]), x);
  x = net.add("relu4", relu(), x);
  x = net.add("conv5", conv(convs[4]), x);
  x = net.add("relu5", relu(), x);
  x = net.add("pool5", pool(), x);

  x = net.add("flatten", flatten(), x);
  x = net.add("fc6", gemm(dense[0]), x);
  x = net.add("relu6", relu(), x);
  x = net.add("drop6", dropout({ ratio: layers.dropout }), x);
  x = net.add("fc7", gemm(dense[1]), x);
  x = net.add("relu7", relu(), x);
  x = net.add("drop7", dropout({ ratio: layers.dropout }), x);
  x = net.add("fc8", gemm(dense[2]), x);
  net.add("loss", softmaxCrossEntropy(), x);
  return net;
}
