import { createHash } from "node:crypto";

export interface LabelledContent {
  /** Of the image's file, hex. */
  readonly sha256: string;
  readonly label: string;
  readonly split: string;
}

const HASH_BYTES = 32;

/**
 * Names a set of labelled images by nothing but its images: the sha256 of every image's own hash with
 * its class and split, sorted. File names, their order, sizes of records and the place where the
 * images lie do not count. (`Dataset.fingerprint` does count order and records, because a training
 * that is resumed must meet the same batches.) Takes 32 bytes an image.
 */
export class ContentFingerprint {
  readonly #hashes: Uint8Array;
  #images = 0;

  /** @param most room for so many images */
  constructor(most: number) {
    this.#hashes = new Uint8Array(most * HASH_BYTES);
  }

  /** @throws {RangeError} when there is no room for it. */
  add({ sha256, label, split }: LabelledContent): void {
    const hash = createHash("sha256").update(JSON.stringify([sha256, split, label])).digest();
    this.#hashes.set(hash, this.#images++ * HASH_BYTES);
  }

  /** sha256, hex. */
  digest(): string {
    const order = Uint32Array.from({ length: this.#images }, (_, i) => i);
    order.sort((a, b) => compare(this.#hashes, a * HASH_BYTES, b * HASH_BYTES));
    const whole = createHash("sha256");
    for (const i of order) {
      whole.update(this.#hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
    }
    return whole.digest("hex");
  }
}

/** The fingerprint of images that are at hand. */
export function contentFingerprint(images: readonly LabelledContent[]): string {
  const fingerprint = new ContentFingerprint(images.length);
  for (const image of images) fingerprint.add(image);
  return fingerprint.digest();
}

function compare(bytes: Uint8Array, a: number, b: number): number {
  for (let i = 0; i < HASH_BYTES; i++) {
    const difference = bytes[a + i]! - bytes[b + i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
