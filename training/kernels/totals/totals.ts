import { type Dispatch, specialize } from "../../gpu/kernel.ts";
import text from "./totals.wgsl" with { type: "text" };

/** float32 numbers of a step's totals: loss, top-1 errors, top-5 errors, images. */
export const TOTALS = 4;
/** Steps whose totals are kept apart from one look of the host to the next. */
export const TOTAL_ROWS = 128;

/**
 * Adds up the per-image losses and errors of the step's images, so that the host needs to look only
 * now and then. Each step has a row of its own, the one of its number modulo {@link TOTAL_ROWS}:
 * sums of many steps then do not depend on when the host looked. Binding order: losses, totals
 * [TOTAL_ROWS, TOTALS], step.
 */
export function addTotals<Ref>(losses: Ref, totals: Ref, step: Ref): Dispatch<Ref> {
  return {
    kernel: { label: "totals", code: specialize(text, { ROWS: TOTAL_ROWS }) },
    bindings: [{ buffer: losses }, { buffer: totals }, { buffer: step }],
    workgroups: [1, 1, 1],
  };
}
