import type { Gpu } from "../gpu/device.ts";
import type { Precision } from "../gpu/precision.ts";
import type { Graph } from "../graph/graph.ts";
import { layOutParameters } from "../graph/parameters.ts";
import { largestPart } from "../graph/part_size.ts";
import { plan } from "../graph/plan.ts";
import type { TileTable } from "../kernels/tile.ts";
import { problemsOf, type TuningProblem } from "./problems.ts";
import { tunedTiles } from "./tuned_tiles.ts";
import { readTuning, type TuningEntries, tuningPath } from "./tuning_cache.ts";

type TuningTarget = Gpu & { readonly precision?: Precision };

/** The products of training a network on this adapter, in the parts that its limits allow. */
export function trainingProblems(gpu: TuningTarget, graph: Graph, batch: number): TuningProblem[] {
  const arena = layOutParameters(graph);
  const part = largestPart(graph, arena, batch, gpu);
  return problemsOf(graph, plan(graph, arena, { batch: part, target: gpu, training: true }));
}

/**
 * What `topfive tune` measured for a network on this adapter; nothing where it was never run. A
 * damaged file is passed over with a warning, for the cost models know tiles for everything.
 */
export async function loadTiles(
  gpu: TuningTarget,
  graph: Graph,
  batch: number,
  path = tuningPath(),
): Promise<TileTable> {
  let entries: TuningEntries;
  try {
    entries = await readTuning(path, gpu.description);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    console.error(`warning: ${error.message} (remove it, or tune anew: topfive tune)`);
    return new Map();
  }
  if (Object.keys(entries).length === 0) return new Map();
  return tunedTiles(trainingProblems(gpu, graph, batch), entries);
}
