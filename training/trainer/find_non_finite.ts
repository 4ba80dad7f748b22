import type { NonFiniteTensor } from "../graph/finite_checks.ts";
import { train, type TrainerOptions } from "../trainer.ts";
import type { StepRecord } from "./training_observer.ts";
import { NonFiniteLossError } from "./loss_watch.ts";

export interface FirstNonFinite extends NonFiniteTensor {
  /** From 1. */
  readonly step: number;
}

class Found extends Error {
  constructor(readonly first: FirstNonFinite) {
    super(`${first.what} is not finite`);
  }
}

/**
 * Trains again from a state that was good, looking at every tensor of every step, up to the first
 * that is not finite: a training is a function of its state, so it comes to the same place. The
 * engine must hold that state's weights and momenta.
 *
 * @returns null where the signal came first, or nothing was found.
 */
export async function findNonFinite(
  options: Omit<TrainerOptions, "makeStep" | "observers" | "onCheckpoint" | "checkpoints">,
  onStep: (step: StepRecord) => void,
): Promise<FirstNonFinite | null> {
  try {
    await train({
      ...options,
      observers: [{ onStep }],
      makeStep: async (batch, at) => {
        const first = await options.engine.checkedStep(batch, at);
        if (first) throw new Found({ ...first, step: at.step + 1 });
      },
    });
  } catch (error) {
    if (error instanceof Found) return error.first;
    if (!(error instanceof NonFiniteLossError)) throw error;
  }
  return null;
}
