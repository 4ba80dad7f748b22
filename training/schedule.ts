/** The learning rate as a function of the step. */

export const SCHEDULES = ["constant", "cosine", "step"] as const;
export type ScheduleName = typeof SCHEDULES[number];

export interface Schedule {
  readonly name: ScheduleName;
  /** Learning rate at the start. */
  readonly learningRate: number;
  readonly totalSteps: number;
  /** Steps over which the rate rises from zero to its start. */
  readonly warmupSteps: number;
}

/** "step" divides by ten at each of these shares of the run. */
const STEP_SHARES = [0.5, 0.75, 0.9];

/**
 * The rate of a step, counted from 0.
 *
 * - constant;
 * - cosine: falls to zero along half a cosine (Loshchilov and Hutter, "SGDR", 2017);
 * - step: divided by ten at 50 %, 75 % and 90 % of the run, three times as AlexNet's was.
 */
export function learningRateAt(schedule: Schedule, step: number): number {
  const { name, learningRate, totalSteps, warmupSteps } = schedule;
  if (step < warmupSteps) return learningRate * (step + 1) / warmupSteps;
  const share = (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
  if (name === "constant") return learningRate;
  if (name === "cosine") return learningRate * 0.5 * (1 + Math.cos(Math.PI * share));
  return learningRate / 10 ** STEP_SHARES.filter((limit) => share >= limit).length;
}
