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

type DecodeWorker = TaskWorker<DecodeTask, NetworkInputs>;

interface Waiting {
  readonly start: (worker: DecodeWorker) => void;
  readonly fail: (error: Error) => void;
}

/** Workers that turn images into network inputs; images wait in the order of their arrival. */
export class DecodePool {
  readonly #options: DecodePoolOptions;
  readonly #idle: DecodeWorker[] = [];
  readonly #waiting: Waiting[] = [];
  #running = 0;
  #closed = false;
  /** Workers that were ended because they took too long or broke. */
  replaced = 0;

  constructor(options: DecodePoolOptions) {
    this.#options = options;
  }

  /** Starts one worker ahead of the first image. */
  warm(): void {
    if (!this.#closed && this.#running + this.#idle.length === 0) this.#idle.push(start());
  }

  /**
   * @param move the bytes go to the worker and are gone here, where they are a whole buffer
   * @throws {ImageError} when the bytes are no readable image.
   * @throws {WorkerEndedError} when decoding took too long.
   * @throws the signal's reason, when it aborts before a worker is free.
   */
  async decode(
    task: DecodeTask,
    { signal, move = false }: { readonly signal?: AbortSignal; readonly move?: boolean } = {},
  ): Promise<NetworkInputs> {
    const worker = await this.#take(signal);
    try {
      const { buffer, byteLength } = task.bytes;
      const moved = move && byteLength === buffer.byteLength ? [buffer] : [];
      const inputs = await worker.ask(task, this.#options.milliseconds, moved);
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

  async #take(signal: AbortSignal | undefined): Promise<DecodeWorker> {
    signal?.throwIfAborted();
    if (this.#closed) throw new WorkerEndedError("Cannot decode: the pool is closed");
    if (this.#running < this.#options.workers) {
      this.#running++;
      return this.#idle.pop() ?? start();
    }
    const turn = Promise.withResolvers<DecodeWorker>();
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

  #giveBack(worker: DecodeWorker): void {
    const next = this.#waiting.shift();
    if (next) return next.start(worker.ended ? start() : worker);
    this.#running--;
    if (this.#closed) worker.end();
    else if (!worker.ended) this.#idle.push(worker);
  }
}

function start(): DecodeWorker {
  return new TaskWorker(new URL("./decode_worker.ts", import.meta.url));
}
