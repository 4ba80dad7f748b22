import { Random, shuffle } from "../random.ts";
import type { Split } from "./dataset.ts";

/** One batch. The arrays are the loader's own and hold the next batch after the next call. */
export interface Batch {
  /** [batchSize, bytes of a record] */
  records: Uint8Array;
  /** [batchSize] */
  labels: Uint32Array;
  /** [batchSize], place of each image in the split */
  indices: Uint32Array;
}

/** Where the next batch comes from: all that a checkpoint must keep of a loader besides its seed. */
export interface LoaderPosition {
  epoch: number;
  /** Images of this epoch already given out. */
  offset: number;
}

export interface BatchLoaderOptions {
  batchSize: number;
  seed: number;
  position?: LoaderPosition;
}

/**
 * Endless batches of a split, in an order that is a pure function of (seed, epoch). Each epoch is a
 * fresh Fisher-Yates shuffle; the images left over when fewer than a batch remain are dropped, and
 * are others in the next epoch.
 *
 * @throws {RangeError} the batch size is not an integer from 1 to the number of images
 */
export class BatchLoader {
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  readonly #split: Split;
  readonly #seed: number;
  readonly #recordBytes: number;
  readonly #order: Uint32Array;
  readonly #batch: Batch;
  #epoch = 0;
  #offset = 0;

  constructor(split: Split, options: BatchLoaderOptions) {
    const { batchSize, seed } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > split.count) {
      throw new RangeError(
        `Cannot make batches of ${batchSize}: the split has ${split.count} images ` +
          `(expected a batch size from 1 to ${split.count})`,
      );
    }
    this.batchSize = batchSize;
    this.stepsPerEpoch = Math.floor(split.count / batchSize);
    this.#split = split;
    this.#seed = seed;
    this.#recordBytes = split.source.recordBytes;
    this.#order = new Uint32Array(split.count);
    this.#batch = {
      records: new Uint8Array(batchSize * this.#recordBytes),
      labels: new Uint32Array(batchSize),
      indices: new Uint32Array(batchSize),
    };
    this.seek(options.position ?? { epoch: 0, offset: 0 });
  }

  /** The position of the batch that `next` will give. */
  get position(): LoaderPosition {
    return { epoch: this.#epoch, offset: this.#offset };
  }

  /**
   * Continues exactly where a loader of the same split and seed stood.
   *
   * @throws {RangeError} no epoch of this split has such a position
   */
  seek(position: LoaderPosition): void {
    const { epoch, offset } = position;
    const valid = Number.isSafeInteger(epoch) && epoch >= 0 && Number.isInteger(offset) &&
      offset >= 0 && offset <= this.#split.count;
    if (!valid) {
      throw new RangeError(
        `Cannot move the loader to epoch ${epoch}, offset ${offset}: ` +
          `an epoch has ${this.#split.count} images`,
      );
    }
    this.#epoch = epoch;
    this.#offset = offset;
    if (!this.#rollOver()) this.#shuffleEpoch();
  }

  next(): Batch {
    const { records, labels, indices } = this.#batch;
    const bytes = this.#recordBytes;
    for (let i = 0; i < this.batchSize; i++) {
      const index = this.#order[this.#offset + i]!;
      indices[i] = index;
      labels[i] = this.#split.labels[index]!;
      this.#split.source.readInto(index, records, i * bytes);
    }
    this.#offset += this.batchSize;
    this.#rollOver();
    return this.#batch;
  }

  /** Enters the next epoch when this one has no whole batch left. */
  #rollOver(): boolean {
    if (this.#offset + this.batchSize <= this.#split.count) return false;
    this.#epoch++;
    this.#offset = 0;
    this.#shuffleEpoch();
    return true;
  }

  #shuffleEpoch(): void {
    for (let i = 0; i < this.#order.length; i++) this.#order[i] = i;
    shuffle(this.#order, new Random(this.#seed, this.#epoch));
  }
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
  const { source: { recordBytes } } = split;
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
