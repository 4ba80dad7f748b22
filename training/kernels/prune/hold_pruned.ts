import { type Dispatch, flatWorkgroups, specialize } from "../../gpu/kernel.ts";
import { bindingRanges } from "../binding_ranges.ts";
import text from "./hold_pruned.wgsl" with { type: "text" };

const THREADS = 64;

/**
 * Sets parameters and momenta to 0 where `kept` is 0: behind every update, neither decay nor momentum
 * revives a pruned weight. A dispatch for as much as one binding covers.
 *
 * @param bytes of each of the three arenas, a multiple of 512
 */
export function holdPruned(
  bytes: number,
  limits: { readonly maxBindingBytes: number; readonly maxWorkgroups: number },
): Dispatch<"parameters" | "momenta" | "kept">[] {
  return bindingRanges(bytes, limits).map((range) => ({
    kernel: {
      label: `hold pruned ${range.size / 4}`,
      code: specialize(text, { VECTORS: range.size / 16 }),
    },
    bindings: [
      { buffer: "parameters", ...range },
      { buffer: "momenta", ...range },
      { buffer: "kept", ...range },
    ],
    workgroups: flatWorkgroups(range.size / 16, THREADS, limits.maxWorkgroups),
  }));
}
