/** A network and the settings with which it is trained: what a file of this folder gives. */
import type { Graph } from "../graph/graph.ts";
import type { Settings } from "../settings.ts";
import { AS_PUBLISHED, type Variant } from "./variant.ts";

export interface ModelPreset {
  build(classes: number, variant?: Variant): Graph;
  /** Pixels: the square that the network sees. */
  readonly crop: number;
  readonly channels: 1 | 3;
  /** As published; data decides where there is any. */
  readonly classes: number;
  /** What of it can be left out or exchanged. */
  readonly variants: readonly (keyof Variant)[];
  readonly defaults: Settings;
}

/** What presets change where they differ. */
export const COMMON = {
  ...AS_PUBLISHED,
  microBatch: 0,
  precision: "f32",
  layers: {},
  schedule: "cosine",
  warmupSteps: 0,
  dropAt: [0.5, 0.75, 0.9],
  patience: 5,
  minimumGain: 0.001,
  drops: 3,
  momentum: 0.9,
  decay: 0.0005,
  randomCrop: false,
  flip: false,
  colorNoise: 0,
  mean: "channel",
  standardize: true,
  seed: 1,
} as const satisfies Partial<Settings>;
