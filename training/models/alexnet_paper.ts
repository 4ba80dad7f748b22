/**
 * AlexNet by the text of the paper, where the code that gave its numbers differs (see `alexnet`):
 * ReLU before normalisation and pooling in the first layer too, no normalisation within maps, an
 * alpha that is not divided by the window, every weight from N(0, 0.01), and one rate and one decay
 * for weights and biases. The same 60,965,224 parameters and 724,406,816 multiply-adds.
 * @module
 */
import type { Graph } from "../graph/graph.ts";
import { alexnet } from "./alexnet.ts";
import { alexnetGraph } from "./alexnet_layers.ts";
import type { ModelPreset } from "./preset.ts";
import { AS_PUBLISHED, type Variant } from "./variant.ts";

export const alexnetPaper: ModelPreset = { ...alexnet, build };

/** Section 5: weights start as N(0, 0.01), biases as 1 in layers 2, 4, 5, 6 and 7, as 0 elsewhere. */
const start = (bias: number) => ({
  weightInit: { kind: "normal", std: 0.01 } as const,
  biasInit: { kind: "constant", value: bias } as const,
});

function build(classes: number, variant: Variant = AS_PUBLISHED): Graph {
  const k3 = { kernel: [3, 3] as const, pads: [1, 1, 1, 1] as const };
  const k5 = { kernel: [5, 5] as const, pads: [2, 2, 2, 2] as const };
  return alexnetGraph({
    name: "alexnet-paper",
    crop: 224,
    convs: [
      // The text says 224 and draws 55 x 55: three pixels at the end make it so, as in the code.
      { outChannels: 96, kernel: [11, 11], strides: [4, 4], pads: [0, 0, 3, 3], ...start(0) },
      { outChannels: 256, ...k5, group: 2, ...start(1) },
      { outChannels: 384, ...k3, ...start(0) },
      { outChannels: 384, ...k3, group: 2, ...start(1) },
      { outChannels: 256, ...k3, group: 2, ...start(1) },
    ],
    dense: [
      { outputs: 4096, ...start(1) },
      { outputs: 4096, ...start(1) },
      { outputs: classes, ...start(0) },
    ],
    // Section 3.3: k = 2, n = 5, alpha = 1e-4, beta = 0.75; the operator divides by n.
    lrn: { size: 5, alpha: 5 * 1e-4, beta: 0.75, bias: 2, towers: 2 },
    dropout: 0.5,
    firstRelu: "before normalisation",
    apart: { conv2: 320, fc6: 4096, fc7: 2048 },
  }, variant);
}
