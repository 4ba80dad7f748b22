/**
 * Where a training stands, beside its weights and momenta: all that going on from there needs.
 * There is no generator's state in it, because there is none: every random number is a function of
 * the seed and a counter. Weights are drawn by (seed, parameter), the order of an epoch by (seed,
 * epoch), crops and mirrors by (seed, step), dropout by (seed, step, layer, place).
 * @module
 */
import { z } from "zod";
import { SCHEDULE_START, ScheduleStateSchema } from "./schedule.ts";

const count = z.int().nonnegative();

export const TrainingStateSchema = z.strictObject({
  /** Steps done. */
  step: count,
  /** Where the next batch comes from. */
  loader: z.strictObject({ epoch: count, offset: count }),
  /**
   * Sums over the training images of the epoch in hand. Where the epoch is over and they are not
   * zero, its evaluation is still to come.
   */
  epoch: z.strictObject({
    images: count,
    loss: z.number(),
    top1Errors: count,
    top5Errors: count,
  }),
  /** The epoch with the least validation error so far, the first of equals. */
  best: z.strictObject({ epoch: count, step: count, top1Error: z.number() }).nullable(),
  schedule: ScheduleStateSchema,
});

export type TrainingState = z.infer<typeof TrainingStateSchema>;

/** Before the first step. */
export const START: TrainingState = {
  step: 0,
  loader: { epoch: 0, offset: 0 },
  epoch: { images: 0, loss: 0, top1Errors: 0, top5Errors: 0 },
  best: null,
  schedule: SCHEDULE_START,
};
