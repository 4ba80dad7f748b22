/** The networks by name. */
import { alexnet } from "./alexnet.ts";
import { alexnetOwt } from "./alexnet_owt.ts";
import { alexnetSmall } from "./alexnet_small.ts";
import { cifar10EighteenPercent } from "./cifar10_18pct.ts";
import { lenet5 } from "./lenet5.ts";
import type { ModelPreset } from "./preset.ts";

export const MODEL_NAMES = [
  "lenet5",
  "cifar10-18pct",
  "alexnet-small",
  "alexnet",
  "alexnet-owt",
] as const;
export type ModelName = typeof MODEL_NAMES[number];

export const MODELS: Readonly<Record<ModelName, ModelPreset>> = {
  lenet5,
  "cifar10-18pct": cifar10EighteenPercent,
  "alexnet-small": alexnetSmall,
  alexnet,
  "alexnet-owt": alexnetOwt,
};
