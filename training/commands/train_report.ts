/** What a training run tells its user in words. */
import { percent } from "../../shared/percent.ts";
import type { KeeperTimes } from "../checkpoint/checkpoint_keeper.ts";
import type { Config } from "../config.ts";
import type { BrokenImage } from "../dataset/dataset.ts";
import type { EpochRecord } from "../trainer/training_observer.ts";

const MOST_SHOWN = 10;

export function formatEpoch(record: EpochRecord, { epochs }: Pick<Config, "epochs">): string {
  const { validation } = record;
  return [
    `epoch ${String(record.epoch).padStart(String(epochs).length)}/${epochs}`,
    `training loss ${record.trainingLoss.toFixed(4)}`,
    `validation loss ${validation.loss.toFixed(4)}`,
    `top-1 error ${percent(validation.top1Error)}`,
    `top-5 error ${percent(validation.top5Error)}`,
    `${Math.round(record.imagesPerSecond)} images/s`,
  ].join("  ");
}

/** Nothing where none was kept. */
export function formatCheckpoints({ checkpoints, reading, writing }: KeeperTimes): string[] {
  if (checkpoints === 0) return [];
  const each = (seconds: number) => `${(seconds / checkpoints).toFixed(2)} s`;
  return [
    `checkpoints: ${checkpoints}; for each, training waited ${
      each(reading)
    } while it was read from ` +
    `the GPU, and it was written in ${each(writing)} beside the training`,
  ];
}

/** Nothing where no image is broken, else their number and the first of them with the reason. */
export function formatBroken(broken: readonly BrokenImage[]): string[] {
  if (broken.length === 0) return [];
  const title = broken.length === 1
    ? "1 broken image was skipped:"
    : `${broken.length} broken images were skipped:`;
  const lines = broken.slice(0, MOST_SHOWN).map(({ file, reason }) => `  ${file}: ${reason}`);
  const more = broken.length - MOST_SHOWN;
  return [title, ...lines, ...more > 0 ? [`  and ${more} more`] : []];
}
