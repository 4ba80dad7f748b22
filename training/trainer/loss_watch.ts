import type { Engine } from "../graph/engine.ts";
import { NO_TOTALS, type StepTotals, sumTotals, type Totals } from "../graph/step_totals.ts";

/** Seconds between two looks at the loss: a look waits for the GPU, so never each step. */
const LOOK_SECONDS = 1;
const MAX_STEPS_UNSEEN = 100;
/** Share of each new look in the rate that is shown. */
const SMOOTHING = 0.3;

/** A loss that is no number any more. */
export class NonFiniteLossError extends Error {
  override readonly name = "NonFiniteLossError";
  /** Steps that were done before the one with that loss; of an evaluation, all. */
  readonly step: number;

  constructor(loss: number, step: number, where: string) {
    super(`Cannot go on training: the loss is ${loss} ${where}`);
    this.step = step;
  }
}

export interface LossWatchOptions {
  readonly batchSize: number;
  /** Of the epoch in hand, from before the training was interrupted. */
  readonly epoch: Totals;
  /** What was seen, and how many steps were done by then. */
  onLook(seen: readonly StepTotals[], step: number): void | Promise<void>;
}

/**
 * Looks at the totals now and then, without holding the steps up, and keeps the epoch's sums, which
 * are the same whenever it looked.
 */
export class LossWatch {
  readonly #engine: Engine;
  readonly #options: LossWatchOptions;
  #pending: Promise<StepTotals[]> | null = null;
  #unseen = 0;
  #interval = 1;
  #lookedAt = performance.now();
  #rate = 0;
  #epoch: Totals;
  /** Of the epoch in hand, in this process. */
  #timed = { images: 0, seconds: 0 };

  constructor(engine: Engine, options: LossWatchOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#epoch = options.epoch;
  }

  /** Sums over what was seen of the epoch in hand. */
  get epoch(): Totals {
    return this.#epoch;
  }

  /** Smoothed, images a second; 0 before the first look. */
  get rate(): number {
    return this.#rate;
  }

  /** Over the epoch in hand, without evaluating and saving. */
  get epochRate(): number {
    return this.#timed.images / this.#timed.seconds;
  }

  startEpoch(): void {
    this.#epoch = NO_TOTALS;
    this.#timed = { images: 0, seconds: 0 };
  }

  /** What was done since the last look was no training and does not count as time. */
  restartClock(): void {
    this.#lookedAt = performance.now();
  }

  /** A look is asked for after one step and awaited after the next, which keeps the GPU busy. */
  async afterStep(step: number): Promise<void> {
    await this.#see(step);
    this.#unseen++;
    if (this.#unseen >= this.#interval) this.#ask();
  }

  /** Looks at all that was done so far, and waits for it. */
  async catchUp(step: number): Promise<void> {
    await this.#see(step);
    if (this.#unseen === 0) return;
    this.#ask();
    await this.#see(step);
  }

  /** Waits for a look that nobody will see, because training ended before it came. */
  async settle(): Promise<void> {
    await this.#pending?.catch(() => {});
    this.#pending = null;
  }

  #ask(): void {
    this.#pending = this.#engine.takeStepTotals();
    this.#unseen = 0;
  }

  async #see(step: number): Promise<void> {
    if (!this.#pending) return;
    const seen = await this.#pending;
    this.#pending = null;
    const bad = seen.find(({ loss }) => !Number.isFinite(loss));
    if (bad) throw new NonFiniteLossError(bad.loss, bad.step, `at step ${bad.step + 1}`);
    this.#epoch = sumTotals(seen, this.#epoch);
    this.#measure(sumTotals(seen).images);
    await this.#options.onLook(seen, step);
  }

  #measure(images: number): void {
    const now = performance.now();
    const seconds = (now - this.#lookedAt) / 1000;
    this.#lookedAt = now;
    this.#timed = {
      images: this.#timed.images + images,
      seconds: this.#timed.seconds + seconds,
    };
    const rate = images / seconds;
    this.#rate = this.#rate === 0 ? rate : this.#rate + SMOOTHING * (rate - this.#rate);
    const stepSeconds = seconds * this.#options.batchSize / images;
    const wanted = Math.round(LOOK_SECONDS / stepSeconds);
    this.#interval = Math.max(1, Math.min(MAX_STEPS_UNSEEN, wanted));
  }
}
