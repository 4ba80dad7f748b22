/** A model's weights as the start of another one with other classes. */
import type { Graph } from "../graph/graph.ts";
import { initialValues, layOutParameters, type ParameterValues } from "../graph/parameters.ts";

interface OldModel {
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** In the order of its outputs. */
  readonly classes: readonly string[];
}

/**
 * Takes over every weight by its name. The last layer has a row an output: a class that both models
 * have keeps its row, wherever it stands now, and a new one begins with random numbers as in a
 * training from scratch.
 *
 * @returns null where the other model is another network
 */
export function growHead(
  graph: Graph,
  classes: readonly string[],
  old: OldModel,
  seed: number,
): ParameterValues | null {
  const values = initialValues(layOutParameters(graph), seed);
  const head = graph.nodes.findLast(({ parameters }) => parameters.length > 0)?.name;
  for (const [name, fresh] of values) {
    const known = old.weights.get(name);
    if (!known) return null;
    const isHead = name.startsWith(`${head}.`);
    if (isHead && !takeRows(fresh, classes, known, old.classes)) return null;
    if (!isHead) {
      if (known.length !== fresh.length) return null;
      fresh.set(known);
    }
  }
  return values;
}

/** Both are [classes, inputs], or [classes] of a bias. False where they do not fit. */
function takeRows(
  fresh: Float32Array,
  classes: readonly string[],
  known: Float32Array,
  oldClasses: readonly string[],
): boolean {
  const row = fresh.length / classes.length;
  if (known.length !== row * oldClasses.length) return false;
  classes.forEach((name, c) => {
    const from = oldClasses.indexOf(name);
    if (from >= 0) fresh.set(known.subarray(from * row, (from + 1) * row), c * row);
  });
  return true;
}
