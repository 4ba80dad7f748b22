import { type Dispatch, flatWorkgroups, type KernelTarget, specialize } from "../../gpu/kernel.ts";
import { bytesOf } from "../../gpu/precision.ts";
import { bindingRanges } from "../binding_ranges.ts";
import text from "./store_parameters.wgsl" with { type: "text" };

const THREADS = 64;

/**
 * Rounds float32 parameters to the target's precision: what products read. A dispatch for as much
 * as one binding covers.
 *
 * @param bytes of the parameters, a multiple of 512
 */
export function storeParameters(
  bytes: number,
  target: KernelTarget & { readonly maxBindingBytes: number },
): Dispatch<"parameters" | "halfParameters">[] {
  const { maxWorkgroups, precision } = target;
  const share = bytesOf(precision) / 4;
  return bindingRanges(bytes, target).map(({ offset, size }) => ({
    kernel: {
      label: `store ${size / 4} parameters`,
      code: specialize(text, { VECTORS: size / 16 }, precision),
    },
    bindings: [
      { buffer: "parameters", offset, size },
      { buffer: "halfParameters", offset: share * offset, size: share * size },
    ],
    workgroups: flatWorkgroups(size / 16, THREADS, maxWorkgroups),
  }));
}
