/** The training loop. */
import { BatchDraws } from "./augment/draw.ts";
import type { Config } from "./config.ts";
import type { Dataset } from "./dataset/dataset.ts";
import type { Eigen } from "./dataset/eigen.ts";
import { type Loader, openLoader } from "./dataset/loader.ts";
import { evaluate, type Evaluation } from "./evaluator.ts";
import type { InputBatch, StepPlace } from "./graph/batch_upload.ts";
import type { Engine } from "./graph/engine.ts";
import { type StepTotals, sumTotals } from "./graph/step_totals.ts";
import type { TrainingProgress } from "./progress.ts";
import { afterEpoch, learningRateAt, type Schedule, type ScheduleState } from "./schedule.ts";
import { CheckpointClock, type CheckpointPolicy } from "./trainer/checkpoint_clock.ts";
import { LossWatch, NonFiniteLossError } from "./trainer/loss_watch.ts";
import type { EpochRecord, TrainingObserver } from "./trainer/training_observer.ts";
import { START, type TrainingState } from "./training_state.ts";

export interface TrainerOptions {
  readonly engine: Engine;
  readonly dataset: Dataset;
  readonly config: Config;
  /** Where an earlier training of this config and data stood; the engine has its weights. */
  readonly start?: TrainingState;
  /** Of the training set's colours: colour noise needs them. */
  readonly colorComponents?: Eigen;
  /** Instead of the engine's own step: the profiler makes some of them itself. */
  readonly makeStep?: (batch: InputBatch, at: StepPlace) => Promise<void> | undefined;
  /** Set to stop after the step in hand. */
  readonly signal: AbortSignal;
  readonly observers?: readonly TrainingObserver[];
  /** Checkpoints beside those at the end of each epoch and where the signal stopped training. */
  readonly checkpoints?: CheckpointPolicy;
  /** Keeps the engine's weights and momenta with this state; training goes on afterwards. */
  onCheckpoint?(state: TrainingState): Promise<void>;
}

/**
 * Trains to the end of the config's epochs, of its schedule or until the signal, and says where it
 * stands. Begun from a state that it gave, with that state's weights and momenta, it goes on to the
 * bit as it would have.
 *
 * @throws {NonFiniteLossError} when the loss is no longer a finite number.
 */
export async function train(options: TrainerOptions): Promise<TrainingState> {
  const { dataset, config, start = START } = options;
  const { batchSize, seed } = config;
  const loader = openLoader(dataset.train, { batchSize, seed, position: start.loader });
  const trainer = new Trainer(options, loader);
  try {
    return await trainer.run();
  } finally {
    loader.close();
    await trainer.watch.settle();
  }
}

class Trainer {
  readonly watch: LossWatch;
  readonly #options: TrainerOptions;
  readonly #loader: Loader;
  readonly #observers: readonly TrainingObserver[];
  readonly #schedule: Schedule;
  readonly #clock: CheckpointClock;
  #step: number;
  #savedAt: number;
  #best: TrainingState["best"];
  #scheduled: ScheduleState;

  constructor(options: TrainerOptions, loader: Loader) {
    const { engine, config, start = START, observers = [], checkpoints = {} } = options;
    this.#options = options;
    this.#loader = loader;
    this.#observers = observers;
    const totalSteps = loader.stepsPerEpoch * config.epochs;
    this.#schedule = { ...config, name: config.schedule, totalSteps };
    this.#scheduled = start.schedule;
    this.#clock = new CheckpointClock(checkpoints);
    this.#step = this.#savedAt = start.step;
    this.#best = start.best;
    this.watch = new LossWatch(engine, {
      batchSize: config.batchSize,
      epoch: start.epoch,
      onLook: (seen, step) => this.#report(seen, step),
    });
  }

  async run(): Promise<TrainingState> {
    const { engine, config, colorComponents, signal } = this.#options;
    const { seed, batchSize } = config;
    const makeStep = this.#options.makeStep ?? ((batch, at) => void engine.trainStep(batch, at));
    const draws = new BatchDraws(batchSize, engine.options.preprocess, config, colorComponents);
    const loader = this.#loader;
    await engine.takeTotals();
    this.watch.restartClock();
    while (!signal.aborted) {
      if (this.#isEpochOver()) {
        await this.#endEpoch();
        continue;
      }
      if (this.#scheduled.finished || this.#step >= this.#schedule.totalSteps) break;
      // ---- training step: nothing else belongs between these two lines ----
      const step = this.#step;
      const { records, labels } = await loader.next();
      const batch = { records, labels, ...draws.at({ seed, step }) };
      const learningRate = learningRateAt(this.#schedule, step, this.#scheduled);
      const waiting = makeStep(batch, { learningRate, seed, step });
      if (waiting) await waiting;
      this.#step++;
      // ---- the rest only observes ----
      await this.watch.afterStep(this.#step);
      const record = { step: this.#step, epoch: this.#epoch, learningRate };
      for (const observer of this.#observers) await observer.onStep?.(record);
      if (this.#step % loader.stepsPerEpoch === 0) await this.watch.catchUp(this.#step);
      else if (this.#clock.isDue(this.#step)) await this.#save();
    }
    if (this.#step > this.#savedAt) await this.#save();
    return this.#state();
  }

  /** Of the last step, from 1. */
  get #epoch(): number {
    return Math.floor((this.#step - 1) / this.#loader.stepsPerEpoch) + 1;
  }

  /** Whether an epoch was trained and not yet evaluated. */
  #isEpochOver(): boolean {
    return this.#step % this.#loader.stepsPerEpoch === 0 && this.watch.epoch.images > 0;
  }

  async #endEpoch(): Promise<void> {
    const validation = await this.#evaluate();
    if (!validation) return;
    const { images, loss, top1Errors } = this.watch.epoch;
    const [step, epoch] = [this.#step, this.#epoch];
    const { top1Error } = validation;
    if (!this.#best || top1Error < this.#best.top1Error) this.#best = { epoch, step, top1Error };
    const record: EpochRecord = {
      epoch,
      step,
      learningRate: learningRateAt(this.#schedule, step - 1, this.#scheduled),
      trainingLoss: loss / images,
      trainingError: top1Errors / images,
      imagesPerSecond: this.watch.epochRate,
      validation,
    };
    for (const observer of this.#observers) await observer.onEpoch?.(record);
    this.#scheduled = afterEpoch(this.#schedule, this.#scheduled, top1Error);
    this.watch.startEpoch();
    await this.#save();
  }

  /** Null where the signal ended it: the epoch's end is then still to come. */
  async #evaluate(): Promise<Evaluation | null> {
    const { engine, dataset, signal } = this.#options;
    try {
      const validation = await evaluate(engine, dataset.validation, signal);
      if (Number.isFinite(validation.loss)) return validation;
      const where = `on the validation images after step ${this.#step}`;
      throw new NonFiniteLossError(validation.loss, this.#step, where);
    } catch (error) {
      if (signal.aborted && error === signal.reason) return null;
      throw error;
    }
  }

  async #save(): Promise<void> {
    await this.watch.catchUp(this.#step);
    this.#savedAt = this.#step;
    await this.#options.onCheckpoint?.(this.#state());
    this.#clock.restart();
    this.watch.restartClock();
  }

  #state(): TrainingState {
    return {
      step: this.#step,
      loader: this.#loader.position,
      epoch: this.watch.epoch,
      best: this.#best,
      schedule: this.#scheduled,
    };
  }

  async #report(seen: readonly StepTotals[], step: number): Promise<void> {
    for (const observer of this.#observers) await observer.onTotals?.(seen);
    const { images, loss, top1Errors } = sumTotals(seen);
    const { batchSize, epochs } = this.#options.config;
    const { totalSteps } = this.#schedule;
    const { rate } = this.watch;
    const progress: TrainingProgress = {
      epoch: this.#epoch,
      epochs,
      step,
      steps: totalSteps,
      loss: loss / images,
      top1Error: top1Errors / images,
      imagesPerSecond: rate,
      secondsLeft: (totalSteps - step) * batchSize / rate,
    };
    for (const observer of this.#observers) observer.onProgress?.(progress);
  }
}
