import type { BatchedRun } from "../workers/batcher.ts";
import { type Stage, total } from "./stages.ts";

/** How often something was done, and how long that took in all. */
export class Duration {
  count = 0;
  milliseconds = 0;

  add(milliseconds: number): void {
    this.count++;
    this.milliseconds += milliseconds;
  }
}

/**
 * What one loaded version has done since it was loaded: the one place that `/metrics` (names of
 * Triton) and Triton's statistics are read from. Each image counts as a request of its own.
 */
export class Statistics {
  /** Milliseconds since 1970; 0 before the first. */
  lastInferenceAt = 0;
  /** Inputs that the network was run on: ten views of an image are ten. */
  inferences = 0;
  /** Images that were answered, from the cache too, from arrival to answer. */
  readonly success = new Duration();
  readonly failure = new Duration();
  readonly queue = new Duration();
  readonly input = new Duration();
  readonly run = new Duration();
  readonly output = new Duration();
  readonly cacheHit = new Duration();
  readonly cacheMiss = new Duration();
  /** Runs of the network by their batch size. */
  readonly batches = new Map<number, Duration>();

  /** Runs of the network, of any batch size. */
  get executions(): number {
    return this.batches.values().reduce((sum, { count }) => sum + count, 0);
  }

  /** An image that went through `stages`; the answer was written `milliseconds` after it arrived. */
  answered(stages: readonly Stage[], runs: readonly BatchedRun[], milliseconds: number): void {
    const last = stages.at(-1)!;
    this.lastInferenceAt = last.startedAt + last.milliseconds;
    this.inferences += runs.length;
    this.success.add(milliseconds);
    this.cacheMiss.add(milliseconds);
    this.queue.add(total(stages, "queue"));
    this.input.add(total(stages, "decode") + total(stages, "preprocess"));
    this.run.add(last.milliseconds);
    const staged = stages.reduce((sum, stage) => sum + stage.milliseconds, 0);
    this.output.add(Math.max(0, milliseconds - staged));
    for (const { first, batch, milliseconds } of runs) {
      if (!first) continue;
      const sized = this.batches.get(batch) ?? new Duration();
      sized.add(milliseconds);
      this.batches.set(batch, sized);
    }
  }

  /** An image whose answer was at hand. */
  cached(milliseconds: number): void {
    this.success.add(milliseconds);
    this.cacheHit.add(milliseconds);
  }
}
