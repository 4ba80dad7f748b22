/** Finds the first tensor of a step that leaves the finite numbers. */
import type { StepDispatch } from "./engine_options.ts";
import type { Dispatch } from "../gpu/kernel.ts";
import type { Precision } from "../gpu/precision.ts";
import { checkFinite } from "../kernels/finite/finite.ts";

/** What a dispatch, with those before it, has finished. */
export interface WrittenTensor {
  /** "the activation of conv1", "the gradient of conv1.weight" */
  readonly what: string;
  readonly buffer: string;
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  /** What its numbers are stored as; float32 by default. */
  readonly precision?: Precision;
}

/** In a pass of a step. */
export interface NonFiniteTensor {
  readonly what: string;
  readonly direction: "forward" | "backward" | "update";
}

interface Checked {
  readonly direction: NonFiniteTensor["direction"];
  readonly writes?: readonly WrittenTensor[];
}

/** Bindings start at multiples of this. */
const ALIGNMENT = 256;
export const FLAGS_BUFFER = "flags";

/** The lists of a step with a check of each tensor. */
export interface CheckedLists {
  readonly checks: FiniteChecks;
  readonly first: readonly StepDispatch[];
  readonly later: readonly StepDispatch[];
  readonly update: readonly StepDispatch[];
}

/**
 * Follows each dispatch that finishes tensors with a check of them, before their memory is used for
 * others; the flags are in the order of the checks.
 */
export class FiniteChecks {
  readonly #target: { readonly maxWorkgroups: number; readonly maxBindingBytes: number };
  readonly #tensors: NonFiniteTensor[] = [];

  constructor(target: { readonly maxWorkgroups: number; readonly maxBindingBytes: number }) {
    this.#target = target;
  }

  /** Bytes of the flags, one u32 a check. */
  get bytes(): number {
    return 4 * this.#tensors.length;
  }

  addTo<Own extends Dispatch<string> & Checked & { readonly node: string }>(
    dispatches: readonly Own[],
  ): (Own | Dispatch<string> & Pick<Own, "node" | "direction">)[] {
    return dispatches.flatMap((dispatch) => {
      const { node, direction, writes = [] } = dispatch;
      const checks = writes.flatMap((tensor) => this.#check(tensor, direction));
      return [dispatch, ...checks.map((check) => ({ ...check, node, direction }))];
    });
  }

  /** The first of them whose flag is set. */
  first(flags: Uint32Array): NonFiniteTensor | null {
    const index = flags.findIndex((flag) => flag !== 0);
    return this.#tensors[index] ?? null;
  }

  /** In pieces that can be bound. */
  #check(tensor: WrittenTensor, direction: NonFiniteTensor["direction"]): Dispatch<string>[] {
    const { what, buffer, offset, size, precision = "f32" } = tensor;
    const { maxBindingBytes, maxWorkgroups } = this.#target;
    const most = Math.floor(maxBindingBytes / ALIGNMENT) * ALIGNMENT;
    const dispatches: Dispatch<string>[] = [];
    for (let start = 0; start < size; start += most) {
      const values = { buffer, offset: offset + start, size: Math.min(most, size - start) };
      const flag = this.#tensors.push({ what, direction }) - 1;
      dispatches.push(checkFinite({ values, precision, flags: FLAGS_BUFFER, flag, maxWorkgroups }));
    }
    return dispatches;
  }
}
