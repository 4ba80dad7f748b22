/** One figure of one trainer: its process is started, asked once and ended. */
import { NotHere, Peer } from "../peer.ts";
import type { StepRequest, StepResult } from "./step_protocol.ts";
import type { Trainer } from "./trainers.ts";

export interface Outcome {
  readonly trainer: string;
  readonly request: StepRequest;
  /** Name and versions, by its own word; empty where it did not start. */
  readonly greeting: string;
  readonly result?: StepResult;
  /** Why there is no result. */
  readonly missing?: string;
}

/** A loss that has not moved by this share was not trained on. */
const LEAST_CHANGE = 1e-4;

/** @param limitSeconds after which a trainer that has not answered is ended */
export async function runTrainer(
  trainer: Trainer,
  request: StepRequest,
  limitSeconds: number,
): Promise<Outcome> {
  const outcome = { trainer: trainer.name, request, greeting: "" };
  let peer: Peer | undefined;
  try {
    peer = await Peer.start(trainer.command);
    const result = await peer.ask<StepResult>(request, limitSeconds);
    const wrong = whyNotTrained(result);
    const greeting = peer.greeting;
    return wrong ? { ...outcome, greeting, missing: wrong } : { ...outcome, greeting, result };
  } catch (error) {
    if (!(error instanceof NotHere)) throw error;
    return { ...outcome, greeting: peer?.greeting ?? "", missing: error.message };
  } finally {
    await peer?.close();
  }
}

/** A dropped dispatch looks fast and leaves the loss where it was: the logarithm of the classes. */
function whyNotTrained({ firstLoss, lastLoss, imagesPerSecond }: StepResult): string | undefined {
  if (!Number.isFinite(lastLoss)) return `its loss becomes ${lastLoss}`;
  if (Math.abs(lastLoss - firstLoss) < LEAST_CHANGE * firstLoss) {
    return `its loss stays at ${lastLoss} (${Math.round(imagesPerSecond)} images/s do not count)`;
  }
}
