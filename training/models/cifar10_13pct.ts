/**
 * The net of cuda-convnet that reached 13 % error on CIFAR-10 in 25 minutes (Krizhevsky, 2012,
 * layers-conv-local-13pct.cfg), which AlexNet's paper names in its section on normalisation.
 * 1,116,490 parameters, 18,517,248 multiply-adds an image.
 * @module
 */
import { LOCAL_NET, LOCAL_NET_SETTINGS, localNetGraph } from "./cifar10_local_layers.ts";
import type { ModelPreset } from "./preset.ts";

export const cifar10ThirteenPercent: ModelPreset = {
  build: (classes, variant) =>
    localNetGraph({ ...LOCAL_NET, name: "cifar10-13pct", classes }, variant),
  crop: LOCAL_NET.crop,
  channels: 3,
  classes: 10,
  variants: ["overlap", "activation"],
  defaults: LOCAL_NET_SETTINGS,
};
