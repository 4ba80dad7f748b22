import type { Gpu } from "../gpu/device.ts";
import { chooseTile, promising, type TileChoice, type TileTimes } from "./choose_tile.ts";
import { codeHash, type TuningProblem, workWith } from "./problems.ts";
import { type CheckedTile, type RefusedTile, TileBench } from "./tile_bench.ts";
import type { TuningEntry } from "./tuning_cache.ts";

/** The cost model knows well enough which tiles are not worth a look. */
export const MOST_CANDIDATES = 24;
/** Runs of which the median counts. */
const RUNS = 7;

export interface TunedProblem {
  readonly problem: TuningProblem;
  readonly choice: TileChoice;
  readonly entry: TuningEntry;
  /** Candidates that were run and checked. */
  readonly checked: number;
  /** Those that gave wrong numbers or did not compile: never to be used. */
  readonly refused: readonly RefusedTile[];
}

/**
 * Checks each candidate against the default, then times those that come near the best.
 *
 * @throws {Error} where the default itself does not run, or the adapter has no timestamp queries.
 */
export async function tuneProblem(
  gpu: Gpu,
  problem: TuningProblem,
  mostCandidates = MOST_CANDIDATES,
): Promise<TunedProblem> {
  const bench = new TileBench(gpu, problem);
  try {
    const checked: CheckedTile[] = [];
    const refused: RefusedTile[] = [];
    for (const tile of problem.candidates.slice(0, Math.min(mostCandidates, MOST_CANDIDATES))) {
      const result = await bench.check(tile);
      if (!("reason" in result)) checked.push(result);
      else if (checked.length > 0) refused.push(result);
      else throw new Error(`Cannot tune ${problem.key}: tile ${tile} fails, ${result.reason}`);
    }
    const [usual] = checked;
    let choice = chooseTile(await race(bench, promising(checked), RUNS));
    const winner = checked.find(({ tile }) => tile === choice.tile);
    if (usual && winner && winner !== usual) {
      // The best of many measurements is partly luck, so that the winner must win once more.
      choice = chooseTile(await race(bench, [usual, winner], 2 * RUNS));
    }
    gpu.check();
    return { problem, choice, entry: entryOf(problem, choice), checked: checked.length, refused };
  } finally {
    bench.close();
  }
}

/** Times of each, run in turns; one is enough where there is nothing to choose. */
async function race(
  bench: TileBench,
  tiles: readonly CheckedTile[],
  runs: number,
): Promise<TileTimes[]> {
  const times = tiles.map(({ tile }) => ({ tile, milliseconds: [] as number[] }));
  for (let run = 0; run < (tiles.length > 1 ? runs : 1); run++) {
    (await bench.time(tiles)).forEach((time, index) => times[index]!.milliseconds.push(time));
  }
  return times;
}

function entryOf(problem: TuningProblem, choice: TileChoice): TuningEntry {
  const { dispatches } = workWith(problem, choice.tile);
  return { ...choice, code: codeHash(dispatches), tunedAt: new Date().toISOString() };
}
