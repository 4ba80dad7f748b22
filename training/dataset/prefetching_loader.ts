import { type Batch, emptyBatch } from "./batch.ts";
import {
  checkPosition,
  type LoaderPosition,
  type OrderOptions,
  positionAfter,
} from "./epoch_order.ts";
import type { Loader, LoaderOptions } from "./loader.ts";
import type { PrefetchReply, PrefetchRequest } from "./prefetch_worker.ts";
import type { RecordSource } from "./record_source.ts";

/**
 * Batches in being, which bounds the memory and how far a Worker reads ahead: one is in the caller's
 * hands, the others wait or are being filled. Three ahead bridge the shuffle between two epochs.
 */
const BATCHES = 4;

/**
 * A loader whose batches are read by a Worker from a source of its own. The batches' memory goes
 * back and forth between the threads and is never copied.
 */
export class PrefetchingLoader implements Loader {
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  readonly #order: OrderOptions;
  readonly #worker: Worker;
  readonly #ready: Batch[] = [];
  #position: LoaderPosition;
  #taken: Batch | null = null;
  #waiting: PromiseWithResolvers<Batch> | null = null;
  #failure: Error | null = null;

  /** @param source what a Worker's own is opened like; of it only the description is used */
  constructor(source: RecordSource, options: LoaderOptions) {
    const { count, description, recordBytes } = source;
    const { batchSize } = options;
    const order = { ...options, count };
    this.batchSize = batchSize;
    this.stepsPerEpoch = Math.floor(count / batchSize);
    this.#order = order;
    this.#position = checkPosition(order);
    this.#worker = new Worker(new URL("./prefetch_worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<PrefetchReply>) => {
      if ("error" in data) this.#fail(new Error(data.error));
      else this.#arrive(data.batch);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(new Error(`Cannot read ahead: ${event.message}`));
    };
    this.#ask({ description, order });
    for (let i = 0; i < BATCHES; i++) this.#refill(emptyBatch(batchSize, recordBytes));
  }

  get position(): LoaderPosition {
    return this.#position;
  }

  async next(): Promise<Batch> {
    if (this.#taken) this.#refill(this.#taken);
    this.#taken = null;
    const batch = this.#ready.shift() ?? await this.#wait();
    this.#position = positionAfter(this.#order, this.#position);
    this.#taken = batch;
    return batch;
  }

  close(): void {
    this.#worker.terminate();
    this.#fail(new Error("Cannot give a batch: the loader is closed"));
  }

  #wait(): Promise<Batch> {
    if (this.#failure) throw this.#failure;
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  #arrive(batch: Batch): void {
    if (!this.#waiting) {
      this.#ready.push(batch);
      return;
    }
    this.#waiting.resolve(batch);
    this.#waiting = null;
  }

  /** Batches that were read before the failure are given out first. */
  #fail(error: Error): void {
    this.#failure ??= error;
    this.#waiting?.reject(this.#failure);
    this.#waiting = null;
  }

  #refill(batch: Batch): void {
    const { records, labels, indices } = batch;
    this.#ask({ batch }, [records.buffer, labels.buffer, indices.buffer]);
  }

  #ask(request: PrefetchRequest, transfer: Transferable[] = []): void {
    this.#worker.postMessage(request, transfer);
  }
}
