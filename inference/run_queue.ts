/** Thrown by {@linkcode RunQueue.run} when `capacity` jobs are already waiting or running. */
export class QueueFullError extends Error {
  override readonly name = "QueueFullError";
}

/**
 * Runs jobs one at a time, first come first served, and refuses work instead of growing: an ONNX
 * session cannot run twice at once, and one decoded image at a time bounds the memory.
 */
export class RunQueue {
  readonly capacity: number;
  #pending = 0;
  #tail: Promise<unknown> = Promise.resolve();

  /** `capacity`: jobs waiting or running, at least 1. */
  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(`Cannot make a queue: capacity must be 1 or more, got ${capacity}`);
    }
    this.capacity = capacity;
  }

  /** Jobs waiting or running. */
  get pending(): number {
    return this.#pending;
  }

  /** True when the next {@linkcode run} would be refused. */
  get full(): boolean {
    return this.#pending >= this.capacity;
  }

  /**
   * Resolves or rejects with the job's own outcome once its turn has come and gone.
   * @throws {QueueFullError} when the queue is full; the job is not kept.
   */
  async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.full) {
      throw new QueueFullError(`Cannot take another job: ${this.#pending} are waiting or running`);
    }
    this.#pending++;
    const turn = this.#tail.then(eventLoopTurn).then(job).finally(() => {
      this.#pending--;
    });
    this.#tail = turn.then(() => {}, () => {});
    return await turn;
  }

  /** Resolves when every job taken so far has ended. */
  async idle(): Promise<void> {
    await this.#tail;
  }
}

/**
 * onnxruntime-web computes on the calling thread, so a chain of promises alone would answer the
 * whole queue before the next connection is accepted or a health check is read.
 */
function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
