import { type Binding, type Dispatch, flatWorkgroups, specialize } from "../../gpu/kernel.ts";
import text from "./finite.wgsl" with { type: "text" };

const THREADS = 256;

export interface FiniteCheck<Ref> {
  /** float32 numbers, a whole number of them. */
  readonly values: Binding<Ref> & { readonly size: number };
  readonly flags: Ref;
  /** Which of the flags, u32 each, is set where one of the values is infinite or no number. */
  readonly flag: number;
  readonly maxWorkgroups: number;
}

/** Binding order: values, flags. */
export function checkFinite<Ref>(check: FiniteCheck<Ref>): Dispatch<Ref> {
  const { values, flags, flag, maxWorkgroups } = check;
  const words = values.size / 4;
  return {
    kernel: {
      label: `finite ${words}`,
      code: specialize(text, { WORDS: words, FLAG: flag }),
    },
    bindings: [values, { buffer: flags }],
    workgroups: flatWorkgroups(words, THREADS, maxWorkgroups),
  };
}
