/** When to keep a checkpoint within an epoch; either, both or neither. */
export interface CheckpointPolicy {
  readonly everySteps?: number | undefined;
  readonly everyMinutes?: number | undefined;
}

/** Counts from the last checkpoint, whatever was the reason for it. */
export class CheckpointClock {
  readonly #policy: CheckpointPolicy;
  #since = performance.now();

  constructor(policy: CheckpointPolicy) {
    this.#policy = policy;
  }

  /** @param step steps done */
  isDue(step: number): boolean {
    const { everySteps, everyMinutes } = this.#policy;
    if (everySteps !== undefined && step % everySteps === 0) return true;
    if (everyMinutes === undefined) return false;
    return performance.now() - this.#since >= everyMinutes * 60_000;
  }

  restart(): void {
    this.#since = performance.now();
  }
}
