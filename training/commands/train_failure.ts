/** What to tell a user whose training went wrong, and what to do about it. */
import { readCheckpoint } from "../checkpoint/checkpoint.ts";
import { NonFiniteTensorError } from "../checkpoint/checkpoint_file.ts";
import { findCheckpoint } from "../checkpoint/checkpoint_folder.ts";
import { initialValues } from "../graph/parameters.ts";
import type { ProgressLine } from "../progress.ts";
import type { TrainerOptions } from "../trainer.ts";
import { findNonFinite, type FirstNonFinite } from "../trainer/find_non_finite.ts";
import { NonFiniteLossError } from "../trainer/loss_watch.ts";
import { START, type TrainingState } from "../training_state.ts";

/** Whether numbers were lost, not the device or the disk. */
export function isNonFinite(error: unknown): error is Error {
  return error instanceof NonFiniteLossError || error instanceof NonFiniteTensorError;
}

/**
 * The error with the layer where it began, which it looks for by training again from the last
 * checkpoint, and with what to try.
 */
export async function explainNonFinite(
  error: Error,
  run: string,
  options: TrainerOptions,
  line: ProgressLine,
): Promise<Error> {
  const { config, engine } = options;
  const start = await goBack(run, options);
  line.print(`${error.message}: looking for the layer from step ${start.step} on (Ctrl-C: not)`);
  const first = await findNonFinite({ ...options, start }, ({ step }) => {
    line.update(`looked at step ${step}`);
  });
  engine.close();
  const half = Number((config.learningRate / 2).toPrecision(3));
  return new Error(
    `${error.message}${first ? `; ${where(first)}` : ""}. ${kept(run, start)}. Try a lower rate ` +
      `(--learning-rate ${half}) or a longer rise to it (--warmup-steps ` +
      `${Math.max(100, 2 * config.warmupSteps)}), with another --out`,
    { cause: error },
  );
}

function where({ what, direction, step }: FirstNonFinite): string {
  const pass = direction === "update" ? "in the update" : `in the ${direction} pass`;
  return `${what} was the first that was not finite, ${pass} of step ${step}`;
}

/** Puts the engine where the last good checkpoint was, or before the first step. */
async function goBack(run: string, { engine, config }: TrainerOptions): Promise<TrainingState> {
  const path = await findCheckpoint(run, "latest");
  if (path !== null) {
    const { state, parameters, momenta } = await readCheckpoint(path);
    engine.loadParameters(parameters);
    engine.loadMomenta(momenta);
    return state;
  }
  const parameters = initialValues(engine.arena, config.seed);
  engine.loadParameters(parameters);
  engine.loadMomenta(
    new Map([...parameters].map(([name, { length }]) => [name, new Float32Array(length)])),
  );
  return START;
}

function kept(run: string, { step }: TrainingState): string {
  return step === 0 ? `No checkpoint is in ${run} yet` : `The checkpoint of step ${step} is intact`;
}

/** The error with the way on from the last checkpoint, where there is one. */
export async function explainStop(error: unknown, run: string): Promise<Error> {
  const message = error instanceof Error ? error.message : String(error);
  const path = await findCheckpoint(run, "latest").catch(() => null);
  const way = path === null
    ? "it has no checkpoint yet: train again"
    : `${path} is intact: go on with ./topfive train --resume ${run}`;
  return new Error(`${message} (${way})`, { cause: error });
}
