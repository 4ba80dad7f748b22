/**
 * The eight layers of AlexNet, which its presets share; sizes come from outside.
 *
 * The encyclopedia writes them (CNN -> RN -> MP)^2 -> (CNN^3 -> MP) -> (FC -> DO)^2 -> Linear ->
 * softmax. The published code normalises and pools before the first ReLU, the paper's text after
 * it. The code has a normalisation within each map after the second layer's LRN, the text has not.
 * @module
 */
import { Graph, type Tensor } from "../graph/graph.ts";
import { concat } from "../ops/concat/concat.ts";
import { conv, type ConvAttributes } from "../ops/conv/conv.ts";
import { dropout } from "../ops/dropout/dropout.ts";
import { flatten } from "../ops/flatten/flatten.ts";
import { gemm, type GemmAttributes } from "../ops/gemm/gemm.ts";
import { lrn, type LrnAttributes } from "../ops/lrn/lrn.ts";
import { imageShape } from "../ops/op.ts";
import { sameMapLrn, type SameMapLrnAttributes } from "../ops/same_map_lrn/same_map_lrn.ts";
import { softmaxCrossEntropy } from "../ops/softmax_cross_entropy/softmax_cross_entropy.ts";
import { split } from "../ops/split/split.ts";
import { activation, AS_PUBLISHED, overlappingMaxPool, type Variant } from "./variant.ts";

type Five<T> = readonly [T, T, T, T, T];

export interface AlexNetLayers {
  readonly name: string;
  /** Height and width of the square RGB input. */
  readonly crop: number;
  readonly convs: Five<ConvAttributes>;
  readonly dense: readonly [GemmAttributes, GemmAttributes, GemmAttributes];
  readonly lrn: LrnAttributes;
  readonly sameMapLrn?: SameMapLrnAttributes;
  readonly dropout: number;
  /** Where the first ReLU comes: behind the first pooling in the code, before it in the text. */
  readonly firstRelu: "behind pooling" | "before normalisation";
  /**
   * Sizes for towers that never talk, chosen to keep the number of weights: channels of conv2, and
   * outputs of fc6 and fc7 in each tower.
   */
  readonly apart: { readonly conv2: number; readonly fc6: number; readonly fc7: number };
}

export function alexnetGraph(layers: AlexNetLayers, variant: Variant = AS_PUBLISHED): Graph {
  const net = new Graph(layers.name, imageShape(3, layers.crop, layers.crop));
  const activate = (layer: number, x: Tensor) =>
    net.add(`${variant.activation}${layer}`, activation(variant), x);
  const normalise = (layer: number, x: Tensor) =>
    variant.lrn ? net.add(`norm${layer}`, lrn(layers.lrn), x) : x;
  const pool = (layer: number, x: Tensor) =>
    net.add(`pool${layer}`, overlappingMaxPool(variant), x);
  const convs = variant.crossTower ? layers.convs : apart(layers);

  let x = net.add("conv1", conv(convs[0]), net.input);
  if (layers.firstRelu === "before normalisation") x = activate(1, x);
  x = pool(1, normalise(1, x));
  if (layers.firstRelu === "behind pooling") x = activate(1, x);

  x = activate(2, net.add("conv2", conv(convs[1]), x));
  x = normalise(2, x);
  if (variant.lrn && layers.sameMapLrn) x = net.add("map2", sameMapLrn(layers.sameMapLrn), x);
  x = pool(2, x);

  x = activate(3, net.add("conv3", conv(convs[2]), x));
  x = activate(4, net.add("conv4", conv(convs[3]), x));
  x = activate(5, net.add("conv5", conv(convs[4]), x));
  x = pool(5, x);

  x = variant.crossTower
    ? hidden(net, layers, variant, x)
    : net.add("joined", concat(), ...hiddenApart(net, layers, variant, x));
  x = net.add("fc8", gemm(layers.dense[2]), x);
  net.add("loss", softmaxCrossEntropy(), x);
  return net;
}

/** Flatten, fc6 and fc7 with their ReLUs and dropouts; `tower` sets their names apart. */
function hidden(net: Graph, layers: AlexNetLayers, variant: Variant, x: Tensor, tower = "") {
  x = net.add(`flatten${tower}`, flatten(), x);
  for (const [index, layer] of [6, 7].entries()) {
    x = net.add(`fc${layer}${tower}`, gemm(layers.dense[index]!), x);
    x = net.add(`${variant.activation}${layer}${tower}`, activation(variant), x);
    if (!variant.dropout) continue;
    x = net.add(`drop${layer}${tower}`, dropout({ ratio: layers.dropout }), x);
  }
  return x;
}

/** The hidden layers of two towers, of which the last layer alone sees both. */
function hiddenApart(net: Graph, layers: AlexNetLayers, variant: Variant, x: Tensor): Tensor[] {
  const [fc6, fc7, fc8] = layers.dense;
  const { apart } = layers;
  const dense = [{ ...fc6, outputs: apart.fc6 }, { ...fc7, outputs: apart.fc7 }, fc8] as const;
  const half = x.shape.channels / 2;
  const towers = net.addAll("towers", split({ sizes: [half, half] }), x);
  return towers.map((own, i) => hidden(net, { ...layers, dense }, variant, own, "ab"[i]));
}

/** The convolutions of two towers that never talk. */
function apart({ convs, apart }: AlexNetLayers): Five<ConvAttributes> {
  const [conv1, conv2, conv3, conv4, conv5] = convs;
  return [conv1, { ...conv2, outChannels: apart.conv2 }, { ...conv3, group: 2 }, conv4, conv5];
}
