/**
 * What training needs to know of its images: means, deviations, and the directions in which colours
 * vary. Computed from sums of integers, which are exact and may be added up in any order.
 * @module
 */
import type { Dataset, Split } from "./dataset.ts";
import { type Eigen, symmetricEigen } from "./eigen.ts";

/** In units of a byte, 0 to 255. */
export interface Statistics {
  /** By channel, over every pixel. */
  mean: number[];
  std: number[];
  /** [side, side, channels]: the mean of every byte of a record over the images. */
  meanImage: Float32Array;
  /** [channels][channels], of the pixels' colours. */
  covariance: number[][];
  /** Of the covariance: the principal components of the colours. */
  eigen: Eigen;
}

/** Mean and standard deviation by channel, in units of a byte (0 to 255). */
export type ChannelStatistics = Pick<Statistics, "mean" | "std">;

/** Bytes of pixels whose products add up to less than 2^31, whole numbers to the processor too. */
const INTEGER_RUN = 3 * Math.floor(2 ** 31 / 255 ** 2 / 2);

/**
 * Sums over records: of every byte, and of the products of channels. All are exact for up to
 * 2^53 / (255² · side²) images, 2 million of 256 x 256, and for 16 million of any size.
 */
export class StatisticsSums {
  readonly channels: number;
  images = 0;
  /** [record bytes] */
  readonly bytes: Uint32Array;
  /** [channels, channels]; the upper triangle is filled. */
  readonly products: Float64Array;

  /** @throws {RangeError} a record's bytes do not divide into channels. */
  constructor(recordBytes: number, channels: number) {
    if (recordBytes === 0 || recordBytes % channels !== 0) {
      throw new RangeError(
        `Cannot compute statistics: ${recordBytes} bytes are not pixels of ${channels} channels`,
      );
    }
    this.channels = channels;
    this.bytes = new Uint32Array(recordBytes);
    this.products = new Float64Array(channels * channels);
  }

  /** Adds the record that lies at an offset. */
  add(records: Uint8Array, offset = 0): void {
    const { bytes, products, channels } = this;
    this.images++;
    if (channels === 3) return this.#addRgb(records, offset);
    let squares = 0;
    for (let i = 0; i < bytes.length; i++) {
      const value = records[offset + i]!;
      bytes[i]! += value;
      squares += value * value;
    }
    products[0]! += squares;
  }

  #addRgb(records: Uint8Array, offset: number): void {
    const { bytes, products } = this;
    for (let first = 0; first < bytes.length; first += INTEGER_RUN) {
      const end = Math.min(first + INTEGER_RUN, bytes.length);
      let [rr, rg, rb, gg, gb, bb] = [0, 0, 0, 0, 0, 0];
      for (let i = first; i < end; i += 3) {
        const r = records[offset + i]!, g = records[offset + i + 1]!, b = records[offset + i + 2]!;
        bytes[i]! += r;
        bytes[i + 1]! += g;
        bytes[i + 2]! += b;
        rr = (rr + Math.imul(r, r)) | 0;
        rg = (rg + Math.imul(r, g)) | 0;
        rb = (rb + Math.imul(r, b)) | 0;
        gg = (gg + Math.imul(g, g)) | 0;
        gb = (gb + Math.imul(g, b)) | 0;
        bb = (bb + Math.imul(b, b)) | 0;
      }
      [rr, rg, rb, 0, gg, gb, 0, 0, bb].forEach((sum, i) => products[i]! += sum);
    }
  }

  /** Adds the sums of other records, from a Worker or a file: the result is that of one pass. */
  merge(other: Pick<StatisticsSums, "images" | "bytes" | "products">): void {
    this.images += other.images;
    other.bytes.forEach((sum, i) => this.bytes[i]! += sum);
    other.products.forEach((sum, i) => this.products[i]! += sum);
  }

  /** @throws {RangeError} no record was added. */
  finish(): Statistics {
    const { channels, images, bytes } = this;
    if (images === 0) throw new RangeError("Cannot compute statistics: there are no images");
    const pixels = images * bytes.length / channels;
    const sums = Array.from({ length: channels }, (_, channel) => {
      let sum = 0;
      for (let i = channel; i < bytes.length; i += channels) sum += bytes[i]!;
      return sum;
    });
    // (n Σxy - Σx Σy) / n² cancels; in integers it does not.
    const covarianceOf = (x: number, y: number) => {
      const product = this.products[Math.min(x, y) * channels + Math.max(x, y)]!;
      const scaled = BigInt(pixels) * BigInt(product) - BigInt(sums[x]!) * BigInt(sums[y]!);
      return Number(scaled) / pixels / pixels;
    };
    const covariance = sums.map((_, x) => sums.map((_, y) => covarianceOf(x, y)));
    return {
      mean: sums.map((sum) => sum / pixels),
      std: covariance.map((row, channel) => Math.sqrt(row[channel]!)),
      meanImage: Float32Array.from(bytes, (sum) => sum / images),
      covariance,
      eigen: symmetricEigen(covariance),
    };
  }
}

/** Those of the training split: what the data came with, else computed from every pixel. */
export function trainingStatistics({ statistics, train, channels }: Dataset): Statistics {
  return statistics ?? statisticsOf(train, channels);
}

/**
 * Exact statistics over every pixel of a split.
 *
 * @throws {RangeError} the split is empty or its records do not divide into channels
 */
export function statisticsOf({ source, count }: Split, channels: number): Statistics {
  const sums = new StatisticsSums(source.recordBytes, channels);
  const record = new Uint8Array(source.recordBytes);
  for (let i = 0; i < count; i++) {
    source.readInto(i, record, 0);
    sums.add(record);
  }
  return sums.finish();
}
