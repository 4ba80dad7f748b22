/** The learning rate as a function of the step and of what the validation error has done so far. */
import { z } from "zod";

export const SCHEDULES = ["constant", "cosine", "step", "plateau"] as const;
export type ScheduleName = typeof SCHEDULES[number];

export interface Schedule {
  readonly name: ScheduleName;
  /** Learning rate at the start. */
  readonly learningRate: number;
  readonly totalSteps: number;
  /** Steps over which the rate rises from zero to its start. */
  readonly warmupSteps: number;
  /** "step" divides by ten at each of these shares of the run. */
  readonly dropAt: readonly number[];
  /** "plateau": epochs without a better validation error. */
  readonly patience: number;
  /** "plateau": how much the validation error must fall below its best to be better. */
  readonly minimumGain: number;
  /** "plateau": divisions by ten; when one more is due, training is over. */
  readonly drops: number;
}

export const ScheduleStateSchema = z.strictObject({
  /** Lowest validation error that counted as better; null before the first. */
  best: z.number().nullable(),
  epochsSinceBest: z.int().nonnegative(),
  /** Divisions by ten so far. */
  drops: z.int().nonnegative(),
  finished: z.boolean(),
});

/** What a schedule remembers of the validation errors: plain data, for a checkpoint to keep. */
export type ScheduleState = Readonly<z.infer<typeof ScheduleStateSchema>>;

export const SCHEDULE_START: ScheduleState = {
  best: null,
  epochsSinceBest: 0,
  drops: 0,
  finished: false,
};

/**
 * The rate of a step, counted from 0.
 *
 * - constant;
 * - cosine: falls to zero along half a cosine (Loshchilov and Hutter, "SGDR", 2017);
 * - step: divided by ten at fixed shares of the run;
 * - plateau: divided by ten whenever the validation error has stopped improving (AlexNet's paper,
 *   section 5).
 */
export function learningRateAt(
  schedule: Schedule,
  step: number,
  state: ScheduleState = SCHEDULE_START,
): number {
  const { name, learningRate, totalSteps, warmupSteps } = schedule;
  if (step < warmupSteps) return learningRate * (step + 1) / warmupSteps;
  if (name === "constant") return learningRate;
  if (name === "plateau") return learningRate / 10 ** state.drops;
  const share = (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
  if (name === "cosine") return learningRate * 0.5 * (1 + Math.cos(Math.PI * share));
  return learningRate / 10 ** schedule.dropAt.filter((limit) => share >= limit).length;
}

/** The state after an epoch that ended with this validation error; only a plateau's changes. */
export function afterEpoch(
  { name, patience, minimumGain, drops }: Schedule,
  state: ScheduleState,
  validationError: number,
): ScheduleState {
  if (name !== "plateau" || state.finished) return state;
  if (state.best === null || validationError < state.best - minimumGain) {
    return { ...state, best: validationError, epochsSinceBest: 0 };
  }
  const epochsSinceBest = state.epochsSinceBest + 1;
  if (epochsSinceBest < patience) return { ...state, epochsSinceBest };
  if (state.drops === drops) return { ...state, epochsSinceBest, finished: true };
  return { ...state, epochsSinceBest: 0, drops: state.drops + 1 };
}
