import { Random, shuffle } from "../random.ts";

/** Where the next batch comes from: all that a checkpoint must keep of a loader besides its seed. */
export interface LoaderPosition {
  epoch: number;
  /** Images of this epoch already given out. */
  offset: number;
}

/** What the order of a split's images is a function of. */
export interface OrderOptions {
  /** Images of the split. */
  readonly count: number;
  readonly batchSize: number;
  readonly seed: number;
  /** The very beginning unless given. */
  readonly position?: LoaderPosition | undefined;
}

/**
 * The position from which a batch is taken: `position` itself, or the next epoch's start where fewer
 * than a batch remain.
 *
 * @throws {RangeError} no split of this size has such batches or such a position
 */
export function checkPosition({ count, batchSize, position }: OrderOptions): LoaderPosition {
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > count) {
    throw new RangeError(
      `Cannot make batches of ${batchSize}: the split has ${count} images ` +
        `(expected a batch size from 1 to ${count})`,
    );
  }
  const { epoch, offset } = position ?? { epoch: 0, offset: 0 };
  const valid = Number.isSafeInteger(epoch) && epoch >= 0 && Number.isInteger(offset) &&
    offset >= 0 && offset <= count;
  if (!valid) {
    throw new RangeError(
      `Cannot move the loader to epoch ${epoch}, offset ${offset}: an epoch has ${count} images`,
    );
  }
  return offset + batchSize <= count ? { epoch, offset } : { epoch: epoch + 1, offset: 0 };
}

/** The position after one batch of a position that {@linkcode checkPosition} gave. */
export function positionAfter(options: OrderOptions, { epoch, offset }: LoaderPosition) {
  return checkPosition({ ...options, position: { epoch, offset: offset + options.batchSize } });
}

/**
 * Endless batches of indices, a pure function of (seed, epoch). Each epoch is a fresh Fisher-Yates
 * shuffle of all images: 40 ms for ImageNet's 1,281,167 (2026-11-24, a Xeon's core). The images left
 * over when fewer than a batch remain are dropped, and are others in the next epoch.
 */
export class EpochOrder {
  readonly #options: OrderOptions;
  readonly #order: Uint32Array;
  #shuffledEpoch = -1;
  #position: LoaderPosition;

  /** @throws {RangeError} as {@linkcode checkPosition} does */
  constructor(options: OrderOptions) {
    this.#options = options;
    this.#position = checkPosition(options);
    this.#order = new Uint32Array(options.count);
  }

  /** The position of the batch that `next` will give. */
  get position(): LoaderPosition {
    return this.#position;
  }

  /** Writes the next batch's indices, and moves on. */
  next(indices: Uint32Array): void {
    const { epoch, offset } = this.#position;
    if (epoch !== this.#shuffledEpoch) this.#shuffle(epoch);
    indices.set(this.#order.subarray(offset, offset + this.#options.batchSize));
    this.#position = positionAfter(this.#options, this.#position);
  }

  #shuffle(epoch: number): void {
    for (let i = 0; i < this.#order.length; i++) this.#order[i] = i;
    shuffle(this.#order, new Random(this.#options.seed, epoch));
    this.#shuffledEpoch = epoch;
  }
}
