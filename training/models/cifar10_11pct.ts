/**
 * The 13 % net with local response normalisation, which took it to 11 % (Krizhevsky, 2012,
 * layers-conv-local-11pct.cfg). 1,116,490 parameters, 18,517,248 multiply-adds an image.
 * @module
 */
import { LOCAL_NET, LOCAL_NET_SETTINGS, localNetGraph } from "./cifar10_local_layers.ts";
import type { ModelPreset } from "./preset.ts";

const LRN = { size: 5, alpha: 0.001, beta: 0.75, bias: 1 } as const;

export const cifar10ElevenPercent: ModelPreset = {
  build: (classes, variant) =>
    localNetGraph({ ...LOCAL_NET, name: "cifar10-11pct", classes, lrn: LRN }, variant),
  crop: LOCAL_NET.crop,
  channels: 3,
  classes: 10,
  variants: ["lrn", "overlap", "activation"],
  defaults: LOCAL_NET_SETTINGS,
};
