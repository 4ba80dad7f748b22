import { type Dispatch, specialize } from "../../gpu/kernel.ts";
import text from "./totals.wgsl" with { type: "text" };

/** float32 numbers of the totals: loss, top-1 errors, top-5 errors, images. */
export const TOTALS = 4;

/**
 * Adds up the per-image losses and errors of the step's images, so that the host needs to look only
 * now and then. Binding order: losses, totals, step.
 */
export function addTotals<Ref>(losses: Ref, totals: Ref, step: Ref): Dispatch<Ref> {
  return {
    kernel: { label: "totals", code: specialize(text, {}) },
    bindings: [{ buffer: losses }, { buffer: totals }, { buffer: step }],
    workgroups: [1, 1, 1],
  };
}
