/**
 * AlexNet in full: Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional
 * Neural Networks", 2012, as in the published code (layers-145.cfg, layer-params-145-2010.cfg): both
 * towers in one graph, `group: 2` where they do not talk. 60,965,224 parameters, 724,406,816
 * multiply-adds an image.
 * @module
 */
import type { Graph } from "../graph/graph.ts";
import { alexnetGraph } from "./alexnet_layers.ts";
import { COMMON, type ModelPreset } from "./preset.ts";
import { AS_PUBLISHED, type Variant, VARIANT_NAMES } from "./variant.ts";

export const alexnet: ModelPreset = {
  build,
  crop: 224,
  channels: 3,
  classes: 1000,
  variants: VARIANT_NAMES,
  // 0.01 divided by ten when the validation error stops improving, three times before the end,
  // about 90 epochs (section 5 of the paper). The authors did it by hand, after 23, 51 and 78. The
  // mean image is subtracted and nothing is divided (section 2); colour noise is of section 4.1.
  defaults: {
    ...COMMON,
    epochs: 90,
    batchSize: 128,
    learningRate: 0.01,
    schedule: "plateau",
    randomCrop: true,
    flip: true,
    colorNoise: 0.1,
    mean: "image",
    standardize: false,
    side: 256,
  },
};

/** Weights start as N(0, std), biases as a constant: 1 keeps the first ReLUs alive. */
const start = (std: number, bias: number) => ({
  weightInit: { kind: "normal", std } as const,
  biasInit: { kind: "constant", value: bias } as const,
  // Biases learn at 0.002 to the end, whatever the rate of the weights, and do not decay.
  update: { bias: { constantRate: 0.002, decayMultiplier: 0 } },
});

// 1 + ceil((224 - 11) / 4) = 55: the code rounds up, which is three pixels of padding at the end.
const END_PAD: [number, number, number, number] = [0, 0, 3, 3];

function build(classes: number, variant: Variant = AS_PUBLISHED): Graph {
  const k3 = { kernel: [3, 3] as const, pads: [1, 1, 1, 1] as const };
  const k5 = { kernel: [5, 5] as const, pads: [2, 2, 2, 2] as const };
  return alexnetGraph({
    name: "alexnet",
    crop: 224,
    convs: [
      { outChannels: 96, kernel: [11, 11], strides: [4, 4], pads: END_PAD, ...start(0.01, 0) },
      { outChannels: 256, ...k5, group: 2, ...start(0.01, 1) },
      { outChannels: 384, ...k3, ...start(0.03, 0) },
      { outChannels: 384, ...k3, group: 2, ...start(0.03, 1) },
      { outChannels: 256, ...k3, group: 2, ...start(0.03, 1) },
    ],
    dense: [
      { outputs: 4096, ...start(0.01, 1) },
      { outputs: 4096, ...start(0.01, 1) },
      { outputs: classes, ...start(0.01, 0) },
    ],
    lrn: { size: 5, alpha: 1e-4, beta: 0.75, bias: 2, towers: 2 },
    sameMapLrn: { size: 5, alpha: 1e-3, beta: 0.75, bias: 1 },
    dropout: 0.5,
    firstRelu: "behind pooling",
    // layers-150.cfg, which the authors trained for this comparison.
    apart: { conv2: 320, fc6: 4096, fc7: 2048 },
  }, variant);
}
