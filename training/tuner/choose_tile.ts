import { median } from "../profile/median.ts";

/** What was measured of one candidate. */
export interface TileTimes {
  readonly tile: string;
  /** Of each run. */
  readonly milliseconds: readonly number[];
}

export interface TileChoice {
  readonly tile: string;
  readonly milliseconds: number;
  readonly defaultMilliseconds: number;
}

/** Share of its time by which a candidate must beat the default: less is noise. */
const LEAST_GAIN = 0.03;
/** A candidate this many times slower than the best in a first run need not be run again. */
const HOPELESS = 1.5;

/**
 * The candidate with the least median; the default, which is the first one, where none is clearly
 * better. Compiling does not count: drivers keep on disk what they compiled.
 *
 * @throws {RangeError} without candidates or without times.
 */
export function chooseTile(candidates: readonly TileTimes[]): TileChoice {
  const measured = candidates.map(({ tile, milliseconds }) => ({
    tile,
    milliseconds: median(milliseconds),
  }));
  const [usual] = measured;
  if (!usual || measured.some(({ milliseconds }) => Number.isNaN(milliseconds))) {
    throw new RangeError("Cannot choose a tile: a candidate was not timed");
  }
  const best = measured.reduce((least, own) => own.milliseconds < least.milliseconds ? own : least);
  const better = best.milliseconds <= (1 - LEAST_GAIN) * usual.milliseconds;
  const { tile, milliseconds } = better ? best : usual;
  return { tile, milliseconds, defaultMilliseconds: usual.milliseconds };
}

/** Those worth more runs, after the first: the default and whatever comes near the best. */
export function promising<Candidate extends { readonly first: number }>(
  candidates: readonly Candidate[],
): Candidate[] {
  const best = Math.min(...candidates.map(({ first }) => first));
  return candidates.filter(({ first }, index) => index === 0 || first <= HOPELESS * best);
}
