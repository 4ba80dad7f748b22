/** Weights in fixed point; 22 bits keep a sum of 8-bit samples within 31 bits, as in Pillow. */
const PRECISION_BITS = 22;
/** Of a weight, which passes.wat multiplies in two parts. */
export const LOW_BITS = 11;

/** Weights of the source samples under each target sample of one axis. */
export interface Taps {
  /** First source sample of each target sample. */
  readonly start: Int32Array;
  /** Number of source samples of each target sample. */
  readonly count: Int32Array;
  /** `size` weights for each target sample, of which `count` are used; the rest is zero. */
  readonly weights: Int32Array;
  readonly size: number;
}

/** Taps for target samples `first` to `first + length` of an axis resized from `source` to `target`. */
export function triangleTaps(source: number, target: number, first: number, length: number): Taps {
  const scale = source / target;
  const support = Math.max(scale, 1);
  const inverseSupport = 1 / support;
  const size = Math.ceil(support) * 2 + 1;
  const start = new Int32Array(length);
  const count = new Int32Array(length);
  const weights = new Int32Array(length * size);
  const row = new Float64Array(size);
  for (let i = 0; i < length; i++) {
    const center = (first + i + 0.5) * scale;
    const from = Math.max(Math.trunc(center - support + 0.5), 0);
    const to = Math.min(Math.trunc(center + support + 0.5), source);
    let sum = 0;
    for (let x = from; x < to; x++) {
      const distance = Math.abs((x - center + 0.5) * inverseSupport);
      const weight = distance < 1 ? 1 - distance : 0;
      row[x - from] = weight;
      sum += weight;
    }
    start[i] = from;
    count[i] = to - from;
    for (let x = 0; x < to - from; x++) {
      weights[i * size + x] = Math.trunc(row[x]! / sum * (1 << PRECISION_BITS) + 0.5);
    }
  }
  return { start, count, weights, size };
}
