import { type Dispatch, flatWorkgroups, type KernelTarget, specialize } from "../../gpu/kernel.ts";
import text from "./add.wgsl" with { type: "text" };

const THREADS = 64;

/** to[i] += from[i]; `floats` is a multiple of four. */
export function addInto<Ref>(options: {
  floats: number;
  from: Ref;
  to: Ref;
  target: KernelTarget;
}): Dispatch<Ref> {
  const { floats, from, to, target: { maxWorkgroups, precision } } = options;
  return {
    kernel: { label: `add ${floats}`, code: specialize(text, { VECTORS: floats / 4 }, precision) },
    bindings: [{ buffer: from }, { buffer: to }],
    workgroups: flatWorkgroups(floats / 4, THREADS, maxWorkgroups),
  };
}
