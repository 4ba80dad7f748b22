/** The networks by name. */
import { alexnet } from "./alexnet.ts";
import { alexnetOwt } from "./alexnet_owt.ts";
import { alexnetPaper } from "./alexnet_paper.ts";
import { alexnetSmall } from "./alexnet_small.ts";
import { cifar10ElevenPercent } from "./cifar10_11pct.ts";
import { cifar10ThirteenPercent } from "./cifar10_13pct.ts";
import { cifar10EighteenPercent } from "./cifar10_18pct.ts";
import { cifar10Quick } from "./cifar10_quick.ts";
import { lenet5 } from "./lenet5.ts";
import type { ModelPreset } from "./preset.ts";

export const MODEL_NAMES = [
  "lenet5",
  "cifar10-quick",
  "cifar10-18pct",
  "cifar10-13pct",
  "cifar10-11pct",
  "alexnet-small",
  "alexnet",
  "alexnet-paper",
  "alexnet-owt",
] as const;
export type ModelName = typeof MODEL_NAMES[number];

export const MODELS: Readonly<Record<ModelName, ModelPreset>> = {
  lenet5,
  "cifar10-quick": cifar10Quick,
  "cifar10-18pct": cifar10EighteenPercent,
  "cifar10-13pct": cifar10ThirteenPercent,
  "cifar10-11pct": cifar10ElevenPercent,
  "alexnet-small": alexnetSmall,
  alexnet,
  "alexnet-paper": alexnetPaper,
  "alexnet-owt": alexnetOwt,
};
