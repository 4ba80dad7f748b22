/**
 * Kernels and dispatches as plain data: operators return them, the executor runs them.
 * @module
 */

import { type Precision, storageTypes } from "./precision.ts";

export type Constants = Readonly<Record<string, number | boolean>>;

/** One compute shader with entry point `main`, complete and specialised: equal text, one pipeline. */
export interface Kernel {
  readonly label: string;
  readonly code: string;
}

/**
 * A byte range of a buffer that the executor knows under `buffer`; the whole of it where no range
 * is given.
 */
export interface Binding<Ref> {
  readonly buffer: Ref;
  readonly offset?: number;
  readonly size?: number;
  /** Copied into an image of float32 vec4, which the kernel reads in the buffer's place. */
  readonly image?: boolean;
}

/** What a kernel that several operators share must know of where it runs. */
export interface KernelTarget {
  readonly maxWorkgroups: number;
  /** What tensors are stored as; float32 by default. */
  readonly precision?: Precision;
}

/** One dispatch: binding i of group 0 is `bindings[i]`. */
export interface Dispatch<Ref> {
  readonly kernel: Kernel;
  readonly bindings: readonly Binding<Ref>[];
  readonly workgroups: readonly [number, number, number];
}

/**
 * Rewrites `const NAME = value;` lines of a WGSL text. The type suffix of the value in the text
 * (`u`, `f`, none) stays as it is. A text that names `Stored` or `Stored4` gets them defined.
 *
 * @throws {RangeError} on a name that the text does not have exactly once, or a number that its
 * type cannot hold.
 */
export function specialize(
  code: string,
  constants: Constants,
  precision: Precision = "f32",
): string {
  for (const [name, value] of Object.entries(constants)) {
    const line = new RegExp(`^const ${name} = ([^;]*);`, "gm");
    const found = [...code.matchAll(line)];
    if (found.length !== 1) {
      throw new RangeError(
        `Cannot specialise kernel: const ${name} is there ${found.length} times (expected once)`,
      );
    }
    code = code.replace(line, `const ${name} = ${literal(value, found[0]![1]!)};`);
  }
  return /\bStored4?\b/.test(code) ? storageTypes(precision) + code : code;
}

function literal(value: number | boolean, old: string): string {
  if (typeof value === "boolean") return String(value);
  const suffix = /[uf]$/.exec(old)?.[0] ?? "";
  const fits = suffix === "f"
    ? Number.isFinite(value)
    : Number.isSafeInteger(value) && (suffix === "" || value >= 0);
  if (!fits) throw new RangeError(`Cannot write ${value} in WGSL in place of ${old}`);
  return `${value}${suffix}`;
}

/**
 * Workgroups for `count` items, `perGroup` each, folded into two dimensions when one would exceed
 * the limit; the kernel's flat index is `(id.y * groups.x + id.x) * perGroup + lane`.
 */
export function flatWorkgroups(
  count: number,
  perGroup: number,
  maxWorkgroups = 65535,
): [number, number, number] {
  const groups = Math.ceil(count / perGroup);
  if (groups <= maxWorkgroups) return [groups, 1, 1];
  const rows = Math.ceil(groups / maxWorkgroups);
  return [Math.ceil(groups / rows), rows, 1];
}
