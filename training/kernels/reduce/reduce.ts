/**
 * Sums in a fixed order, so that equal inputs give equal bits: first in parts, then over the parts.
 * @module
 */
import { type Dispatch, flatWorkgroups, type KernelTarget, specialize } from "../../gpu/kernel.ts";
import columnSumText from "./column_sum.wgsl" with { type: "text" };
import maskedColumnSumText from "./masked_column_sum.wgsl" with { type: "text" };
import sumOfPartsText from "./sum_of_parts.wgsl" with { type: "text" };

const THREADS = 64;
/** Rows that one thread adds up at least; fewer would make the second pass the longer one. */
const ROWS_PER_PART = 128;
const MAX_PARTS = 256;

/**
 * to[c] (+)= sum over rows of from[row, c] in float32, where a mask is given after setting from to zero, in
 * place, wherever the mask is not above zero.
 *
 * @param options columns: a multiple of four; scratch: room for `scratchBytes`
 */
export function columnSum<Ref>(options: {
  rows: number;
  columns: number;
  accumulate: boolean;
  from: Ref;
  mask?: Ref;
  scratch: Ref;
  to: Ref;
  target: KernelTarget;
}): { dispatches: Dispatch<Ref>[]; scratchBytes: number } {
  const { rows, columns, accumulate, from, mask, scratch, to, target } = options;
  const { maxWorkgroups, precision } = target;
  const parts = Math.min(MAX_PARTS, Math.ceil(rows / ROWS_PER_PART));
  const vectors = columns / 4;
  const partial: Dispatch<Ref> = {
    kernel: {
      label: `${mask ? "masked " : ""}column sum ${rows} x ${columns}`,
      code: specialize(mask ? maskedColumnSumText : columnSumText, {
        ROWS: rows,
        VECTORS: vectors,
        PARTS: parts,
        PART_ROWS: Math.ceil(rows / parts),
        ACCUMULATE: accumulate && parts === 1,
      }, precision),
    },
    bindings: [from, ...mask ? [mask] : [], parts === 1 ? to : scratch].map((buffer) => ({
      buffer,
    })),
    workgroups: flatWorkgroups(parts * vectors, THREADS, maxWorkgroups),
  };
  if (parts === 1) return { dispatches: [partial], scratchBytes: 0 };
  const total = sumOfParts({
    parts,
    floats: columns,
    accumulate,
    from: scratch,
    to,
    maxWorkgroups,
  });
  return { dispatches: [partial, total], scratchBytes: parts * columns * 4 };
}

/** to[i] (+)= sum over parts of from[part, i]; `floats` numbers a part, a multiple of four. */
export function sumOfParts<Ref>(options: {
  parts: number;
  floats: number;
  accumulate: boolean;
  from: Ref;
  to: Ref;
  maxWorkgroups: number;
}): Dispatch<Ref> {
  const { parts, floats, accumulate, from, to, maxWorkgroups } = options;
  return {
    kernel: {
      label: `sum of ${parts} parts of ${floats}`,
      code: specialize(sumOfPartsText, {
        PARTS: parts,
        VECTORS: floats / 4,
        ACCUMULATE: accumulate,
      }),
    },
    bindings: [{ buffer: from }, { buffer: to }],
    workgroups: flatWorkgroups(floats / 4, THREADS, maxWorkgroups),
  };
}
