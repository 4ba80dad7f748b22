import type { Engine } from "../graph/engine.ts";
import type { LayerNorms } from "../graph/layer_norms.ts";
import type { StepTotals, Totals } from "../graph/step_totals.ts";
import type { StepRecord, TrainingObserver } from "../trainer/training_observer.ts";
import type { StepMetrics } from "./step_metrics.ts";

/** A logged step whose loss is not known yet. */
interface Pending {
  readonly record: StepRecord;
  readonly norms: () => Promise<LayerNorms>;
  readonly milliseconds: number;
}

/**
 * Every so many steps, what a step did: its loss, rate, and the norms of every layer. The norms are
 * computed on the GPU in that step alone, and read when its loss is, so that no step waits.
 */
export class MetricsObserver implements TrainingObserver {
  readonly #engine: Pick<Engine, "keepNorms">;
  readonly #every: number;
  readonly #onMetrics: (metrics: StepMetrics) => Promise<void>;
  #pending: Pending[] = [];
  /** Since the last logged step. */
  #images = 0;
  #lastLogged: number | null = null;

  constructor(
    engine: Pick<Engine, "keepNorms">,
    every: number,
    onMetrics: (metrics: StepMetrics) => Promise<void>,
  ) {
    this.#engine = engine;
    this.#every = every;
    this.#onMetrics = onMetrics;
  }

  onStep(record: StepRecord): void {
    if (record.step % this.#every !== 0) return;
    const norms = this.#engine.keepNorms();
    this.#pending.push({ record, norms, milliseconds: performance.now() });
  }

  async onTotals(steps: readonly StepTotals[]): Promise<void> {
    for (const totals of steps) {
      this.#images += totals.images;
      // The totals count steps from 0, the records those done.
      const pending = this.#pending[0];
      if (pending?.record.step !== totals.step + 1) continue;
      this.#pending.shift();
      await this.#onMetrics(await this.#metrics(pending, totals));
    }
  }

  async #metrics({ record, norms, milliseconds }: Pending, totals: Totals): Promise<StepMetrics> {
    const seconds = this.#lastLogged === null ? null : (milliseconds - this.#lastLogged) / 1000;
    const since = this.#images;
    this.#images = 0;
    this.#lastLogged = milliseconds;
    return {
      kind: "step",
      step: record.step,
      epoch: record.epoch,
      learningRate: record.learningRate,
      loss: totals.loss / totals.images,
      top1Error: totals.top1Errors / totals.images,
      imagesPerSecond: seconds === null ? null : since / seconds,
      time: Date.now() / 1000,
      norms: Object.fromEntries(await norms()),
    };
  }
}
