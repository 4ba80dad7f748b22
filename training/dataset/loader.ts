/**
 * Shuffled batches of a split for training. A small set is gathered where it is asked for; a large
 * one, or one in files, by a Worker that reads ahead.
 * @module
 */
import { type Batch, emptyBatch, fillBatch } from "./batch.ts";
import type { Split } from "./dataset.ts";
import { checkPosition, EpochOrder, type LoaderPosition } from "./epoch_order.ts";
import { PrefetchingLoader } from "./prefetching_loader.ts";

export interface LoaderOptions {
  readonly batchSize: number;
  readonly seed: number;
  /** Where to go on; the first image of the first epoch unless given. */
  readonly position?: LoaderPosition | undefined;
}

/**
 * Endless batches, in an order that is a pure function of (seed, epoch), see `EpochOrder`. A loader
 * that is opened at another's position goes on exactly as that one does.
 */
export interface Loader {
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  /** The position of the batch that `next` will give: what is read ahead does not count. */
  readonly position: LoaderPosition;
  /**
   * The next batch. Its arrays are the loader's own and hold another batch after the next call.
   *
   * @throws {Error} what reading it failed with
   */
  next(): Promise<Batch>;
  /** Ends the Worker, if there is one; `next` may not be called afterwards. */
  close(): void;
}

/**
 * Largest batch of a set in memory that is gathered on the calling thread, bytes. On a Xeon's core
 * that copy takes 0.1 ms, as long as the messages to and from a Worker do (2026-11-24).
 */
const GATHERED_BYTES = 2 ** 20;

/** @throws {RangeError} the batch size or the position does not fit the split */
export function openLoader(split: Split, options: LoaderOptions): Loader {
  const { source, count } = split;
  checkPosition({ ...options, count });
  const isSmall = options.batchSize * source.recordBytes <= GATHERED_BYTES;
  return source.description.kind === "memory" && isSmall
    ? new GatheringLoader(split, options)
    : new PrefetchingLoader(source, options);
}

/** Gathers each batch when it is asked for. */
export class GatheringLoader implements Loader {
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  readonly #split: Split;
  readonly #order: EpochOrder;
  readonly #batch: Batch;

  constructor(split: Split, options: LoaderOptions) {
    const { batchSize } = options;
    this.batchSize = batchSize;
    this.stepsPerEpoch = Math.floor(split.count / batchSize);
    this.#split = split;
    this.#order = new EpochOrder({ ...options, count: split.count });
    this.#batch = emptyBatch(batchSize, split.source.recordBytes);
  }

  get position(): LoaderPosition {
    return this.#order.position;
  }

  next(): Promise<Batch> {
    this.#order.next(this.#batch.indices);
    fillBatch(this.#batch, this.#split.source);
    return Promise.resolve(this.#batch);
  }

  close(): void {}
}

/** A batch of an evaluation: of its arrays the first `count` images are real, the rest zeros. */
export interface EvaluationBatch {
  records: Uint8Array;
  labels: Uint32Array;
  count: number;
  /** Place in the split of the first image. */
  start: number;
}

/**
 * Every image of a split once, in order, in arrays of full batch size (a graph's shape is fixed)
 * that each step reuses.
 *
 * @throws {RangeError} the batch size is not a positive integer
 */
export function* evaluationBatches(split: Split, batchSize: number): Generator<EvaluationBatch> {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new RangeError(`Cannot make batches of ${batchSize}: expected a positive integer`);
  }
  const { recordBytes } = split.source;
  const records = new Uint8Array(batchSize * recordBytes);
  const labels = new Uint32Array(batchSize);
  for (let start = 0; start < split.count; start += batchSize) {
    const end = Math.min(start + batchSize, split.count);
    for (let i = start; i < end; i++) split.source.readInto(i, records, (i - start) * recordBytes);
    records.fill(0, (end - start) * recordBytes);
    labels.set(split.labels.subarray(start, end));
    labels.fill(0, end - start);
    yield { records, labels, count: end - start, start };
  }
}
