import type { InputBatch, StepPlace } from "../graph/batch_upload.ts";
import type { Engine } from "../graph/engine.ts";
import type { StepTimes } from "./profile.ts";

/** Steps that are made before any is timed: clocks and caches settle. */
const WARM_UP = 3;
const TIMED = 5;

/** Makes the steps of a training, and times a few of the first ones; the weights are the same. */
export class StepProfiler {
  readonly #engine: Engine;
  readonly #times: StepTimes[] = [];
  #made = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The steps that were timed; none in a training of three steps or fewer. */
  get times(): readonly StepTimes[] {
    return this.#times;
  }

  /** As `Engine.trainStep()`; a promise where the step is timed, for that waits for the GPU. */
  step(batch: InputBatch, at: StepPlace): Promise<void> | undefined {
    this.#made++;
    if (this.#made > WARM_UP && this.#times.length < TIMED) return this.#timed(batch, at);
    this.#engine.trainStep(batch, at);
    return undefined;
  }

  async #timed(batch: InputBatch, at: StepPlace): Promise<void> {
    this.#times.push(await this.#engine.profileStep(batch, at));
  }
}
