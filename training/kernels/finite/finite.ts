import { type Binding, type Dispatch, flatWorkgroups, specialize } from "../../gpu/kernel.ts";
import type { Precision } from "../../gpu/precision.ts";
import text from "./finite.wgsl" with { type: "text" };

const THREADS = 256;

/** Bits of a word that are all set where a number is infinite or none. */
const EXPONENTS = {
  f32: { EXPONENT: 0x7f800000, SECOND_EXPONENT: 0 },
  f16: { EXPONENT: 0x7c00, SECOND_EXPONENT: 0x7c000000 },
} as const;

export interface FiniteCheck<Ref> {
  /** Whole words. */
  readonly values: Binding<Ref> & { readonly size: number };
  /** What the numbers are stored as; float32 by default. */
  readonly precision?: Precision;
  readonly flags: Ref;
  /** Which of the flags, u32 each, is set where one of the values is infinite or no number. */
  readonly flag: number;
  readonly maxWorkgroups: number;
}

/** Binding order: values, flags. */
export function checkFinite<Ref>(check: FiniteCheck<Ref>): Dispatch<Ref> {
  const { values, precision, flags, flag, maxWorkgroups } = check;
  const words = values.size / 4;
  return {
    kernel: {
      label: `finite ${words}`,
      code: specialize(text, { WORDS: words, FLAG: flag, ...EXPONENTS[precision ?? "f32"] }),
    },
    bindings: [values, { buffer: flags }],
    workgroups: flatWorkgroups(words, THREADS, maxWorkgroups),
  };
}
