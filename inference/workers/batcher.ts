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

/** One input's part of a run; the time is that of the whole run. */
export interface BatchedRun extends RunTime {
  /** [classes] of this input alone. */
  readonly probabilities: Float32Array;
  readonly batch: number;
  /** True for one input of each run: who counts runs counts these. */
  readonly first: boolean;
}

interface Waiting {
  readonly input: Float32Array;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (run: BatchedRun) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Joins inputs that arrive close together into one run, at most one run at a time. While a run goes
 * on the next batch gathers by itself; the delay only matters when the network is idle.
 */
export class Batcher {
  readonly #run: RunBatch;
  readonly #options: BatcherOptions;
  #waiting: Waiting[] = [];
  #busy = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(run: RunBatch, options: BatcherOptions) {
    this.#run = run;
    this.#options = options;
  }

  /** Inputs that no run has taken yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** @throws the signal's reason when it aborts before a run took the input. */
  add(input: Float32Array, signal?: AbortSignal): Promise<BatchedRun> {
    const { promise, resolve, reject } = Promise.withResolvers<BatchedRun>();
    this.#waiting.push({ input, signal, resolve, reject });
    if (this.#waiting.length >= this.#options.maxBatch) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), this.#options.maxDelayMs);
    return promise;
  }

  #flush(): void {
    if (this.#busy) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const gone = this.#waiting.filter(({ signal }) => signal?.aborted);
    for (const { signal, reject } of gone) reject(signal?.reason);
    const here = this.#waiting.filter((entry) => !gone.includes(entry));
    const batch = here.slice(0, this.#options.maxBatch);
    this.#waiting = here.slice(batch.length);
    if (batch.length > 0) void this.#runBatch(batch);
  }

  async #runBatch(batch: readonly Waiting[]): Promise<void> {
    this.#busy = true;
    try {
      const length = batch[0]!.input.length;
      const inputs = new Float32Array(length * batch.length);
      batch.forEach(({ input }, index) => inputs.set(input, index * length));
      const { probabilities, ...time } = await this.#run(inputs, batch.length);
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
      this.#busy = false;
      this.#flush();
    }
  }
}
