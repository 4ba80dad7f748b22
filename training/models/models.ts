/** The networks by name, with what each is fed and the settings it trains well with. */
import type { Graph } from "../graph/graph.ts";
import { alexnet } from "./alexnet.ts";
import { alexnetSmall } from "./alexnet_small.ts";
import { lenet5 } from "./lenet5.ts";

export interface ModelPreset {
  build(classes: number): Graph;
  /** Pixels: the square that the network sees. */
  readonly crop: number;
  readonly channels: 1 | 3;
  readonly defaults: {
    readonly epochs: number;
    readonly batchSize: number;
    readonly learningRate: number;
    readonly schedule: "constant" | "cosine" | "step";
    readonly warmupSteps: number;
    readonly momentum: number;
    readonly decay: number;
    readonly randomCrop: boolean;
    readonly flip: boolean;
    readonly side: number;
    readonly seed: number;
  };
}

export const MODEL_NAMES = ["lenet5", "alexnet-small", "alexnet"] as const;
export type ModelName = typeof MODEL_NAMES[number];

const common = { momentum: 0.9, decay: 0.0005, seed: 1 } as const;

export const MODELS: Readonly<Record<ModelName, ModelPreset>> = {
  lenet5: {
    build: lenet5,
    crop: 28,
    channels: 1,
    defaults: {
      ...common,
      epochs: 6,
      batchSize: 64,
      learningRate: 0.02,
      decay: 0.002,
      schedule: "cosine",
      warmupSteps: 0,
      randomCrop: false,
      flip: false,
      side: 28,
    },
  },
  "alexnet-small": {
    build: alexnetSmall,
    crop: 64,
    channels: 3,
    defaults: {
      ...common,
      epochs: 30,
      batchSize: 32,
      learningRate: 0.02,
      schedule: "cosine",
      warmupSteps: 100,
      randomCrop: true,
      flip: true,
      side: 72,
    },
  },
  // Rate 0.01, momentum 0.9, decay 0.0005, batch 128, 90 epochs, three divisions by ten: section 5.
  alexnet: {
    build: alexnet,
    crop: 224,
    channels: 3,
    defaults: {
      ...common,
      epochs: 90,
      batchSize: 128,
      learningRate: 0.01,
      schedule: "step",
      warmupSteps: 0,
      randomCrop: true,
      flip: true,
      side: 256,
    },
  },
};
