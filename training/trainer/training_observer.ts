import type { StepTotals } from "../graph/step_totals.ts";
import type { TrainingProgress } from "../progress.ts";
import type { Evaluation } from "../evaluator.ts";

export interface StepRecord {
  /** Steps done, this one included. */
  readonly step: number;
  /** From 1. */
  readonly epoch: number;
  readonly learningRate: number;
}

export interface EpochRecord {
  readonly epoch: number;
  readonly step: number;
  readonly learningRate: number;
  /** Means over the epoch's training images, while they were trained on. */
  readonly trainingLoss: number;
  readonly trainingError: number;
  readonly imagesPerSecond: number;
  readonly validation: Evaluation;
}

/**
 * Watches a training. What it is told does not depend on the clock, nor on where a training was
 * interrupted, but for `onProgress` and what is measured in seconds. Training waits for what is
 * awaited here; an error ends it.
 */
export interface TrainingObserver {
  /** About once a second. */
  onProgress?(progress: TrainingProgress): void;
  /** After each step; its loss comes later, to {@link onTotals}. */
  onStep?(step: StepRecord): void | Promise<void>;
  /** Loss and errors of each step, once, in order, some steps at a time. */
  onTotals?(steps: readonly StepTotals[]): void | Promise<void>;
  /** After an epoch's evaluation, before its checkpoint. */
  onEpoch?(record: EpochRecord): void | Promise<void>;
}
