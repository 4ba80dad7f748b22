/** The standard normal distribution. */

/** Below this the series converges fast, above it the continued fraction does. */
const SERIES_LIMIT = 3;
const TERMS = 200;

/** Chance of a value above `z`. Relative error below 1e-12, far into the tail as well. */
export function upperTail(z: number): number {
  if (Number.isNaN(z)) throw new RangeError("Cannot look up a normal tail: z is no number");
  if (z < 0) return 1 - upperTail(-z);
  if (z === Infinity) return 0;
  return z < SERIES_LIMIT ? 0.5 - centre(z) : density(z) / continuedFraction(z);
}

/**
 * The `z` that is exceeded with chance `p`, by bisection.
 *
 * @throws {RangeError} unless 0 < p < 1.
 */
export function upperQuantile(p: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`Cannot look up a normal quantile of chance ${p}`);
  let [low, high] = [-40, 40];
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (upperTail(middle) > p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function density(z: number): number {
  return Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
}

/** Chance between 0 and z. Abramowitz and Stegun, 26.2.11. */
function centre(z: number): number {
  let [term, sum] = [z, z];
  for (let k = 1; k < TERMS; k++) {
    term *= z * z / (2 * k + 1);
    sum += term;
  }
  return sum * density(z);
}

/** Mills' ratio upside down: z + 1/(z + 2/(z + 3/(z + …))). Abramowitz and Stegun, 26.2.14. */
function continuedFraction(z: number): number {
  let value = z;
  for (let k = TERMS; k > 0; k--) value = z + k / value;
  return value;
}
