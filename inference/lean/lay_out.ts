import type { Places } from "./place_values.ts";
import type { Section } from "./sections.ts";
import type { Placed, Step, Task } from "./step.ts";
import type { Value } from "./value.ts";

/** A step ready to run, with its name for a profile. */
interface Bound {
  readonly label: string;
  readonly tasks: readonly Task[];
}

/** A section ready to run on batches of one size. */
export interface Layout {
  readonly bound: readonly Bound[];
  /** The tasks of all steps. */
  readonly tasks: readonly Task[];
  /** Where each step's tasks end: it reads what those before it wrote. */
  readonly ends: readonly number[];
  /** Addresses of the first numbers of input and output. */
  readonly inputAt: number;
  readonly outputAt: number;
}

/**
 * Binds all steps; their tables come from the heap.
 *
 * @param start where the activations lie
 * @throws {UnsupportedError} where weights were packed for another layout of their input.
 */
export function layOut(
  { steps, input, output }: Section,
  means: Omit<Placed, "at">,
  start: number,
  { offsets }: Places,
): Layout {
  const at = (value: Value) => start + offsets.get(value.root)! + value.originBytes;
  const placed = { ...means, at };
  const begun = new Set<Value>([input.root]);
  const bound = steps.flatMap((step) => {
    const gaps = step.outputs.map(({ root }) => root)
      .filter((root) => !begun.has(root) && root.hasGaps);
    step.outputs.forEach(({ root }) => begun.add(root));
    const own = { label: step.label, tasks: step.bind(placed) };
    return gaps.length === 0 ? [own] : [fillGaps(step, gaps, placed), own];
  });
  let end = 0;
  return {
    bound,
    tasks: bound.flatMap(({ tasks }) => tasks),
    ends: bound.map(({ tasks }) => end += tasks.length),
    inputAt: at(input),
    outputAt: at(output),
  };
}

/** Borders and what rounds up channels are zeros; other tensors have lain there before. */
function fillGaps({ label }: Step, roots: readonly Value[], { at, batch }: Placed): Bound {
  const task = roots.map((root) => {
    const bytes = root.imageBytes * batch;
    const from = at(root) - root.originBytes;
    return { kernel: "fill", parameters: [from, root.quantization?.zero ?? 0, bytes] } as const;
  });
  return { label: `${label} (border)`, tasks: [task] };
}
