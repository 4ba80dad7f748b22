import { placeValues } from "./place_values.ts";
import type { Step } from "./step.ts";
import type { Value } from "./value.ts";

/** Steps that are run together. */
export interface Section {
  readonly steps: readonly Step[];
  /** Written before they run. */
  readonly input: Value;
  /** Read behind them. */
  readonly output: Value;
}

/**
 * A network as steps on maps, and those behind that compute on vectors alone: fully connected layers,
 * which read their weights once for as many images as there are. One section where there are no such.
 */
export function sectionsOf({ steps, input, output }: Section): [Section] | [Section, Section] {
  for (let at = 1; at < steps.length; at++) {
    const [maps, vectors] = [steps.slice(0, at), steps.slice(at)];
    const made = new Set(maps.flatMap(({ outputs }) => outputs.map(({ root }) => root)));
    const roots = (values: readonly Value[]) => values.map(({ root }) => root);
    const read = new Set(roots(vectors.flatMap(({ inputs }) => inputs)));
    const [crossing, ...others] = [...read].filter((root) => made.has(root));
    const written = roots(vectors.flatMap(({ outputs }) => outputs));
    const apart = written.every((root) => isVector(root) && !made.has(root)) &&
      !read.has(input.root);
    if (crossing && isVector(crossing) && others.length === 0 && apart) {
      return [
        { steps: maps, input, output: crossing },
        { steps: vectors, input: crossing, output },
      ];
    }
  }
  return [{ steps, input, output }];
}

function isVector({ height, width }: Value): boolean {
  return height === 1 && width === 1;
}

/**
 * Images whose maps are computed at once: as many as stay in the cache from one step to the next. All
 * eight of a batch take longer (AlexNet in int8 4 %, SqueezeNet 3 %, 2026-11-28) and more memory.
 */
export function imagesAtOnce(section: Section, cacheBytes: number): number {
  return Math.max(1, Math.floor(cacheBytes / placeValues(section, 1).byteLength));
}
