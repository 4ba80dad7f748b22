import type { DecodeTask, NetworkInputs } from "./make_inputs.ts";
import { TaskWorker, WorkerEndedError } from "./task_worker.ts";

export interface DecodePoolOptions {
  /** Images decoded at once. */
  readonly workers: number;
  /** Longest decoding of one image; the worker is ended and replaced after it. */
  readonly milliseconds: number;
}

/**
 * A decoder's WebAssembly memory never shrinks, about 10 bytes a pixel: a worker that decoded a
 * larger image than this is replaced, so that one photograph of a large sensor is not paid for ever.
 */
const MOST_KEPT_PIXELS = 16e6;

interface Waiting {
  readonly start: (worker: TaskWorker<DecodeTask, NetworkInputs>) => void;
  readonly fail: (error: Error) => void;
}

/** Workers that turn images into network inputs; images wait in the order of their arrival. */
export class DecodePool {
  readonly #options: DecodePoolOptions;
  readonly #idle: TaskWorker<DecodeTask, NetworkInputs>[] = [];
  readonly #waiting: Waiting[] = [];
  #running = 0;
  #closed = false;
  /** Workers that were ended because they took too long or broke. */
  replaced = 0;

  constructor(options: DecodePoolOptions) {
    this.#options = options;
  }

  /**
   * @throws {ImageError} when the bytes are no readable image.
   * @throws {WorkerEndedError} when decoding took too long.
   * @throws the signal's reason, when it aborts before a worker is free.
   */
  async decode(task: DecodeTask, signal?: AbortSignal): Promise<NetworkInputs> {
    const worker = await this.#take(signal);
    try {
      const inputs = await worker.ask(task, this.#options.milliseconds);
      if (inputs.pixels > MOST_KEPT_PIXELS) worker.end();
      return inputs;
    } catch (error) {
      if (error instanceof WorkerEndedError) this.replaced++;
      throw error;
    } finally {
      this.#giveBack(worker);
    }
  }

  /** Ends every worker. */
  close(): void {
    this.#closed = true;
    for (const worker of this.#idle.splice(0)) worker.end();
    const ended = new WorkerEndedError("Cannot decode: the pool is closed");
    for (const { fail } of this.#waiting.splice(0)) fail(ended);
  }

  async #take(signal: AbortSignal | undefined): Promise<TaskWorker<DecodeTask, NetworkInputs>> {
    signal?.throwIfAborted();
    if (this.#closed) throw new WorkerEndedError("Cannot decode: the pool is closed");
    if (this.#running < this.#options.workers) {
      this.#running++;
      return this.#idle.pop() ?? start();
    }
    const turn = Promise.withResolvers<TaskWorker<DecodeTask, NetworkInputs>>();
    const entry: Waiting = { start: turn.resolve, fail: turn.reject };
    this.#waiting.push(entry);
    const leave = () => {
      const place = this.#waiting.indexOf(entry);
      if (place < 0) return;
      this.#waiting.splice(place, 1);
      turn.reject(signal?.reason);
    };
    signal?.addEventListener("abort", leave, { once: true });
    try {
      return await turn.promise;
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }

  #giveBack(worker: TaskWorker<DecodeTask, NetworkInputs>): void {
    const next = this.#waiting.shift();
    if (next) return next.start(worker.ended ? start() : worker);
    this.#running--;
    if (this.#closed) worker.end();
    else if (!worker.ended) this.#idle.push(worker);
  }
}

function start(): TaskWorker<DecodeTask, NetworkInputs> {
  return new TaskWorker(new URL("./decode_worker.ts", import.meta.url));
}
