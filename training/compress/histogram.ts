/** Even, so that neighbours can be joined when the range doubles. */
const BINS = 4096;
/** Candidates of the clipping point that the least squared error is looked for among. */
const CANDIDATES = 128;

/** How often magnitudes occur, in a range that grows by doubling: one pass, bounded memory. */
export class Histogram {
  readonly #counts = new Float64Array(BINS);
  #range = 2 ** -20;
  #count = 0;
  #max = 0;

  add(values: Float32Array): void {
    for (const value of values) {
      const magnitude = Math.abs(value);
      if (magnitude > this.#max) this.#max = magnitude;
      while (magnitude >= this.#range) this.#double();
      const bin = Math.floor(magnitude / this.#range * BINS);
      this.#counts[bin] = this.#counts[bin]! + 1;
    }
    this.#count += values.length;
  }

  get max(): number {
    return this.#max;
  }

  /** The magnitude that this share of the values does not exceed. */
  percentile(share: number): number {
    let left = (1 - share) * this.#count;
    for (let bin = BINS - 1; bin > 0; bin--) {
      left -= this.#counts[bin]!;
      if (left < 0) return Math.min(this.#max, this.#edge(bin + 1));
    }
    return this.#max;
  }

  /**
   * Where clipping costs least: the magnitude for which rounding to `levels` steps below it, and
   * cutting off what is above it, gives the least sum of squared errors.
   */
  leastError(levels: number): number {
    let best = { limit: this.#max, error: Infinity };
    for (let candidate = 1; candidate <= CANDIDATES; candidate++) {
      const limit = this.#max * candidate / CANDIDATES;
      const error = this.#squaredError(limit, levels);
      if (error < best.error) best = { limit, error };
    }
    return best.limit;
  }

  #squaredError(limit: number, levels: number): number {
    const step = limit / levels;
    let error = 0;
    this.#counts.forEach((count, bin) => {
      if (count === 0) return;
      const value = (this.#edge(bin) + this.#edge(bin + 1)) / 2;
      const rounded = Math.min(Math.round(value / step), levels) * step;
      error += count * (value - rounded) ** 2;
    });
    return error;
  }

  #edge(bin: number): number {
    return bin * this.#range / BINS;
  }

  #double(): void {
    for (let bin = 0; bin < BINS / 2; bin++) {
      this.#counts[bin] = this.#counts[2 * bin]! + this.#counts[2 * bin + 1]!;
    }
    this.#counts.fill(0, BINS / 2);
    this.#range *= 2;
  }
}
