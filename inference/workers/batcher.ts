import { WorkerEndedError } from "./task_worker.ts";

/** Runs `count` inputs of a network at once: [count, …] to [count, classes]. */
export type RunBatch = (
  inputs: Float32Array<ArrayBuffer>,
  count: number,
) => Promise<RunTime & { probabilities: Float32Array<ArrayBuffer> }>;

/** When a run was, as its worker measured it. */
export interface RunTime {
  readonly milliseconds: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

export interface BatcherOptions {
  /** Inputs of one run at most. */
  readonly maxBatch: number;
  /** How long an input waits for company when nothing is running. */
  readonly maxDelayMs: number;
}

export interface InputOptions {
  /** Aborts when nobody waits for the answer any more. */
  readonly signal?: AbortSignal | undefined;
  /**
   * One of many inputs of one image: others go before it that arrive up to a second later, so that a
   * heat map does not hold up those who ask for one answer.
   */
  readonly patient?: boolean;
}

/** Milliseconds that a patient input lets others go first; longer, and they would starve it. */
const PATIENCE_MS = 1000;

/** One input's part of a run; the time is that of the whole run. */
export interface BatchedRun extends RunTime {
  /** [classes] of this input alone. */
  readonly probabilities: Float32Array;
  readonly batch: number;
  /** True for one input of each run: who counts runs counts these. */
  readonly first: boolean;
}

interface BatchWorker {
  readonly run: RunBatch;
  /** True once it can run nothing any more. */
  readonly ended: () => boolean;
}

interface Waiting {
  readonly input: Float32Array;
  readonly signal: AbortSignal | undefined;
  /** Its place in the queue: when it arrived, later for a patient one. */
  readonly place: number;
  readonly resolve: (run: BatchedRun) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Joins inputs that arrive close together into one run. While all workers run the next batch gathers
 * by itself; the delay only matters when the network is idle. Several free workers share what waits.
 */
export class Batcher {
  readonly #options: BatcherOptions;
  readonly #idle: BatchWorker[] = [];
  /** Idle and running. */
  #workers = 0;
  #waiting: Waiting[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: BatcherOptions) {
    this.#options = options;
  }

  /** One more run at a time; a worker that has ended during a run is given no other. */
  addWorker(run: RunBatch, ended: () => boolean = () => false): void {
    this.#workers++;
    this.#idle.push({ run, ended });
    this.#flush();
  }

  /** Inputs that no run has taken yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * @throws the signal's reason when it aborts before a run took the input.
   * @throws {WorkerEndedError} when no worker is left.
   */
  add(input: Float32Array, { signal, patient = false }: InputOptions = {}): Promise<BatchedRun> {
    if (this.#workers === 0) return Promise.reject(noWorker());
    const { promise, resolve, reject } = Promise.withResolvers<BatchedRun>();
    const place = performance.now() + (patient ? PATIENCE_MS : 0);
    this.#waiting.push({ input, signal, place, resolve, reject });
    if (this.#waiting.length >= this.#options.maxBatch) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), this.#options.maxDelayMs);
    return promise;
  }

  #flush(): void {
    if (this.#idle.length === 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const gone = this.#waiting.filter(({ signal }) => signal?.aborted);
    for (const { signal, reject } of gone) reject(signal?.reason);
    this.#waiting = this.#waiting.filter(({ signal }) => !signal?.aborted)
      .sort((a, b) => a.place - b.place);
    while (this.#idle.length > 0 && this.#waiting.length > 0) {
      const share = Math.ceil(this.#waiting.length / this.#idle.length);
      const batch = this.#waiting.splice(0, Math.min(share, this.#options.maxBatch));
      void this.#runBatch(this.#idle.pop()!, batch);
    }
  }

  async #runBatch(worker: BatchWorker, batch: readonly Waiting[]): Promise<void> {
    try {
      const length = batch[0]!.input.length;
      const inputs = new Float32Array(length * batch.length);
      batch.forEach(({ input }, index) => inputs.set(input, index * length));
      const { probabilities, ...time } = await worker.run(inputs, batch.length);
      const classes = probabilities.length / batch.length;
      batch.forEach(({ resolve }, index) =>
        resolve({
          probabilities: probabilities.subarray(index * classes, (index + 1) * classes),
          ...time,
          batch: batch.length,
          first: index === 0,
        })
      );
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#takeBack(worker);
    }
  }

  #takeBack(worker: BatchWorker): void {
    if (!worker.ended()) this.#idle.push(worker);
    else if (--this.#workers === 0) {
      for (const { reject } of this.#waiting.splice(0)) reject(noWorker());
    }
    this.#flush();
  }
}

function noWorker(): WorkerEndedError {
  return new WorkerEndedError("Cannot run: the network's workers have ended");
}
