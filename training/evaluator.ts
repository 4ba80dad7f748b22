/** What a network gets right on a split: centre crops, no augmentation, no dropout. */
import type { Split } from "./dataset/dataset.ts";
import { evaluationBatches } from "./dataset/loader.ts";
import type { Engine } from "./graph/engine.ts";

export interface Evaluation {
  readonly images: number;
  /** Mean cross-entropy, nats. */
  readonly loss: number;
  /** Fractions of the images. */
  readonly top1Error: number;
  readonly top5Error: number;
}

/** Steps between two waits for the GPU, which bounds the uploads in flight. */
const STEPS_IN_FLIGHT = 16;

/**
 * @param signal ends the evaluation early
 * @throws {RangeError} on a split without images.
 * @throws the signal's reason, where it ended the evaluation.
 */
export async function evaluate(
  engine: Engine,
  split: Split,
  signal?: AbortSignal,
): Promise<Evaluation> {
  if (split.count === 0) throw new RangeError("Cannot evaluate: the split has no images");
  let [images, loss, top1Errors, top5Errors] = [0, 0, 0, 0];
  const look = async () => {
    const totals = await engine.takeTotals();
    images += totals.images;
    loss += totals.loss;
    top1Errors += totals.top1Errors;
    top5Errors += totals.top5Errors;
  };
  await engine.takeTotals();
  let steps = 0;
  for (const batch of evaluationBatches(split, engine.partSize)) {
    engine.evaluateStep(batch, batch.count);
    if (++steps % STEPS_IN_FLIGHT !== 0) continue;
    await look();
    signal?.throwIfAborted();
  }
  await look();
  return {
    images,
    loss: loss / images,
    top1Error: top1Errors / images,
    top5Error: top5Errors / images,
  };
}
