import type { TileTable } from "../kernels/tile.ts";
import { codeHash, type TuningProblem, workWith } from "./problems.ts";
import type { TuningEntries } from "./tuning_cache.ts";

/** The measured tiles of a network's problems, those left out whose code has changed since. */
export function tunedTiles(
  problems: readonly TuningProblem[],
  entries: TuningEntries,
): TileTable {
  const tiles = new Map<string, string>();
  for (const problem of problems) {
    if (!Object.hasOwn(entries, problem.key)) continue;
    const { tile, code } = entries[problem.key]!;
    if (!problem.candidates.includes(tile)) continue;
    if (codeHash(workWith(problem, tile).dispatches) === code) tiles.set(problem.key, tile);
  }
  return tiles;
}
