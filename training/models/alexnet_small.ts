/**
 * AlexNet's eight layers for 64x64 crops: the same towers, normalisation, overlapping pooling and
 * dropout at a hundredth of the cost, for small sets and small machines; no normalisation within
 * maps. Weights start by He's rule,
 * because N(0, 0.01) dies out in layers this narrow.
 * @module
 */
import type { Graph } from "../graph/graph.ts";
import { alexnetGraph } from "./alexnet_layers.ts";
import { heInit } from "./init.ts";
import { COMMON, type ModelPreset } from "./preset.ts";
import { AS_PUBLISHED, type Variant, VARIANT_NAMES } from "./variant.ts";

export const alexnetSmall: ModelPreset = {
  build,
  crop: 64,
  channels: 3,
  classes: 10,
  variants: VARIANT_NAMES,
  defaults: {
    ...COMMON,
    epochs: 30,
    batchSize: 32,
    learningRate: 0.02,
    warmupSteps: 100,
    randomCrop: true,
    flip: true,
    side: 72,
  },
};

function build(classes: number, variant: Variant = AS_PUBLISHED): Graph {
  const k3 = { kernel: [3, 3] as const, pads: [1, 1, 1, 1] as const };
  const k5 = { kernel: [5, 5] as const, pads: [2, 2, 2, 2] as const };
  return alexnetGraph({
    name: "alexnet-small",
    crop: 64,
    convs: [
      { outChannels: 24, ...k5, strides: [2, 2], weightInit: heInit(3 * 25) },
      { outChannels: 48, ...k5, group: 2, weightInit: heInit(12 * 25) },
      { outChannels: 64, ...k3, weightInit: heInit(48 * 9) },
      { outChannels: 64, ...k3, group: 2, weightInit: heInit(32 * 9) },
      { outChannels: 48, ...k3, group: 2, weightInit: heInit(32 * 9) },
    ],
    dense: [
      { outputs: 256, weightInit: heInit(48 * 16) },
      { outputs: 256, weightInit: heInit(256) },
      { outputs: classes, weightInit: heInit(256) },
    ],
    lrn: { size: 5, alpha: 1e-4, beta: 0.75, bias: 2, towers: 2 },
    dropout: 0.5,
    firstRelu: "behind pooling",
    apart: { conv2: 56, fc6: 256, fc7: 128 },
  }, variant);
}
