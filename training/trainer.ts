/** The training loop. */
import { type Augmentation, drawCrops } from "./augment/augment.ts";
import type { Config } from "./config.ts";
import type { Dataset } from "./dataset/dataset.ts";
import type { LoaderPosition } from "./dataset/epoch_order.ts";
import { openLoader } from "./dataset/loader.ts";
import { evaluate, type Evaluation } from "./evaluator.ts";
import type { InputBatch, StepPlace } from "./graph/batch_upload.ts";
import type { Engine, Totals } from "./graph/engine.ts";
import type { TrainingProgress } from "./progress.ts";
import { afterEpoch, learningRateAt, SCHEDULE_START, type ScheduleState } from "./schedule.ts";

export interface TrainingState {
  /** Steps done. */
  readonly step: number;
  readonly loader: LoaderPosition;
  readonly schedule: ScheduleState;
}

export interface EpochRecord {
  readonly epoch: number;
  readonly step: number;
  readonly learningRate: number;
  /** Means over the epoch's training images, while they were trained on. */
  readonly trainingLoss: number;
  readonly trainingError: number;
  readonly imagesPerSecond: number;
  readonly validation: Evaluation;
}

export interface TrainerOptions {
  readonly engine: Engine;
  readonly dataset: Dataset;
  readonly config: Config;
  /** Instead of the engine's own step: the profiler makes some of them itself. */
  readonly makeStep?: (batch: InputBatch, at: StepPlace) => Promise<void> | undefined;
  /** Set to stop after the step in hand. */
  readonly signal: AbortSignal;
  onProgress(progress: TrainingProgress): void;
  onEpoch(record: EpochRecord, state: TrainingState): Promise<void>;
}

/** Seconds between two looks at the loss: a look waits for the GPU, so never each step. */
const LOOK_SECONDS = 1;
const MAX_STEPS_UNSEEN = 100;
/** Share of each new look in the rate that is shown. */
const SMOOTHING = 0.3;

/**
 * Trains to the end of the config's epochs, of its schedule or until the signal, and says where it
 * stands.
 *
 * @throws {Error} when the loss is no longer a finite number.
 */
export async function train(options: TrainerOptions): Promise<TrainingState> {
  const { engine, dataset, config, signal } = options;
  const makeStep = options.makeStep ?? ((batch, at) => void engine.trainStep(batch, at));
  const { seed, batchSize, epochs } = config;
  const loader = openLoader(dataset.train, { batchSize, seed });
  const steps = loader.stepsPerEpoch * epochs;
  const schedule = { ...config, name: config.schedule, totalSteps: steps };
  const augmentation: Augmentation = { randomCrop: config.randomCrop, flip: config.flip };
  const crops = new Uint32Array(batchSize);
  const observer = new Observer(options, steps, loader.stepsPerEpoch);

  let step = 0;
  let scheduled = SCHEDULE_START;
  try {
    await engine.takeTotals();
    while (step < steps && !scheduled.finished && !signal.aborted) {
      if (step % loader.stepsPerEpoch === 0) observer.startEpoch();
      // ---- training step: nothing else belongs between these two lines ----
      const { records, labels } = await loader.next();
      drawCrops(crops, engine.options.preprocess, augmentation, { seed, step });
      const learningRate = learningRateAt(schedule, step, scheduled);
      const waiting = makeStep({ records, labels, crops }, { learningRate, seed, step });
      if (waiting) await waiting;
      step++;
      // ---- the rest only observes ----
      const epochEnds = step % loader.stepsPerEpoch === 0;
      await observer.afterStep(step, epochEnds);
      if (epochEnds) {
        const validation = await evaluate(engine, dataset.validation);
        requireFinite(validation.loss, step);
        scheduled = afterEpoch(schedule, scheduled, validation.top1Error);
        const state = { step, loader: loader.position, schedule: scheduled };
        await options.onEpoch(observer.epoch(step, learningRate, validation), state);
      }
    }
  } finally {
    loader.close();
    await observer.settle();
  }
  return { step, loader: loader.position, schedule: scheduled };
}

function requireFinite(loss: number, step: number): void {
  if (Number.isFinite(loss)) return;
  throw new Error(
    `Cannot go on training: the loss is ${loss} at step ${step} (lower the learning rate)`,
  );
}

/** Looks at the totals now and then, without holding the steps up, and keeps the epoch's sums. */
class Observer {
  readonly #options: TrainerOptions;
  readonly #steps: number;
  readonly #stepsPerEpoch: number;
  #pending: Promise<Totals> | null = null;
  #unseen = 0;
  #interval = 1;
  #lookedAt = 0;
  #epochStart = 0;
  #rate = 0;
  #loss = Number.NaN;
  #error = Number.NaN;
  #epoch = { images: 0, loss: 0, errors: 0 };

  constructor(options: TrainerOptions, steps: number, stepsPerEpoch: number) {
    this.#options = options;
    this.#steps = steps;
    this.#stepsPerEpoch = stepsPerEpoch;
  }

  /** Starts the epoch's sums and clock: evaluating and saving the last one do not count. */
  startEpoch(): void {
    this.#epoch = { images: 0, loss: 0, errors: 0 };
    this.#epochStart = this.#lookedAt = performance.now();
  }

  /** Waits for a look that nobody will see, because training ended before it came. */
  async settle(): Promise<void> {
    await this.#pending?.catch(() => {});
    this.#pending = null;
  }

  /** A look is asked for after one step and awaited after the next, which keeps the GPU busy. */
  async afterStep(step: number, epochEnds: boolean): Promise<void> {
    if (this.#pending) await this.#see(step);
    this.#unseen++;
    if (this.#unseen >= this.#interval || epochEnds) {
      this.#pending = this.#options.engine.takeTotals();
      this.#unseen = 0;
    }
    if (epochEnds) await this.#see(step);
  }

  async #see(step: number): Promise<void> {
    const totals = await this.#pending!;
    this.#pending = null;
    const { images, loss, top1Errors } = totals;
    if (images === 0) return;
    this.#loss = loss / images;
    this.#error = top1Errors / images;
    requireFinite(this.#loss, step);
    this.#epoch.images += images;
    this.#epoch.loss += loss;
    this.#epoch.errors += top1Errors;
    this.#measure(images);
    this.#report(step);
  }

  #measure(images: number): void {
    const now = performance.now();
    const seconds = (now - this.#lookedAt) / 1000;
    this.#lookedAt = now;
    const rate = images / seconds;
    this.#rate = this.#rate === 0 ? rate : this.#rate + SMOOTHING * (rate - this.#rate);
    const stepSeconds = seconds * this.#options.config.batchSize / images;
    const wanted = Math.round(LOOK_SECONDS / stepSeconds);
    this.#interval = Math.max(1, Math.min(MAX_STEPS_UNSEEN, wanted));
  }

  #report(step: number): void {
    const { config } = this.#options;
    this.#options.onProgress({
      epoch: Math.min(config.epochs, Math.floor((step - 1) / this.#stepsPerEpoch) + 1),
      epochs: config.epochs,
      step,
      steps: this.#steps,
      loss: this.#loss,
      top1Error: this.#error,
      imagesPerSecond: this.#rate,
      secondsLeft: (this.#steps - step) * config.batchSize / this.#rate,
    });
  }

  /** The record of the epoch that ended. */
  epoch(step: number, learningRate: number, validation: Evaluation): EpochRecord {
    const { images, loss, errors } = this.#epoch;
    const trained = (this.#lookedAt - this.#epochStart) / 1000;
    return {
      epoch: step / this.#stepsPerEpoch,
      step,
      learningRate,
      trainingLoss: loss / images,
      trainingError: errors / images,
      imagesPerSecond: images / trained,
      validation,
    };
  }
}
