/** What of a network can be left out or exchanged, as AlexNet's paper does to measure its worth. */
import { maxPool } from "../ops/max_pool/max_pool.ts";
import type { Op } from "../ops/op.ts";
import { relu } from "../ops/relu/relu.ts";
import { tanh } from "../ops/tanh/tanh.ts";
import type { Settings } from "../settings.ts";

export type Variant = Pick<Settings, typeof VARIANT_NAMES[number]>;

export const VARIANT_NAMES = ["lrn", "overlap", "crossTower", "activation", "dropout"] as const;

export const AS_PUBLISHED: Variant = {
  lrn: true,
  overlap: true,
  crossTower: true,
  activation: "relu",
  dropout: true,
};

export function activation({ activation }: Variant): Op {
  return activation === "relu" ? relu() : tanh();
}

/** Windows of 3 a step of 2; of 2 without overlap, which gives the same sizes. */
export function overlappingMaxPool({ overlap }: Variant): Op {
  return overlap
    ? maxPool({ kernel: [3, 3], strides: [2, 2], ceilMode: true })
    : maxPool({ kernel: [2, 2], strides: [2, 2] });
}
