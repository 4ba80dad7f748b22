/**
 * Stochastic gradient descent with momentum and weight decay as AlexNet's paper, section 5, gives it:
 *
 *     v <- momentum v - decay rate w - rate gradient
 *     w <- w + v
 *
 * The gradients are divided by the loss scale; where one of them is not finite nothing changes.
 *
 * The momentum holds the rate: a new rate acts on what comes, not on what has gathered.
 * @module
 */
import { type Dispatch, flatWorkgroups, specialize } from "../gpu/kernel.ts";
import lossScaleText from "../kernels/loss_scale/loss_scale_state.wgsl" with { type: "text" };
import type { UpdateRule } from "../ops/op.ts";
import text from "./sgd.wgsl" with { type: "text" };

const THREADS = 64;

export type SgdBuffer = "parameters" | "gradients" | "momenta" | "step" | "lossScale";

/** Bytes of the arenas whose parameters are treated alike. */
export interface ParameterGroup {
  readonly update: UpdateRule;
  readonly offset: number;
  readonly size: number;
}

export interface SgdOptions {
  readonly momentum: number;
  readonly decay: number;
}

/** One pass over the arenas: a dispatch for each group, more where a binding cannot cover it. */
export function sgdUpdate(
  groups: readonly ParameterGroup[],
  options: SgdOptions,
  limits: { readonly maxBindingBytes: number; readonly maxWorkgroups: number },
): Dispatch<SgdBuffer>[] {
  const largest = Math.floor(limits.maxBindingBytes / 256) * 256;
  return groups.flatMap((group) => {
    const { update } = group;
    const dispatches: Dispatch<SgdBuffer>[] = [];
    for (let done = 0; done < group.size; done += largest) {
      const size = Math.min(largest, group.size - done);
      const range = { offset: group.offset + done, size };
      dispatches.push({
        kernel: {
          label: `SGD ${size / 4}`,
          code: lossScaleText + specialize(text, {
            VECTORS: size / 16,
            MOMENTUM: update.momentum ?? options.momentum,
            RATE_MULTIPLIER: update.constantRate === null ? update.rateMultiplier : 0,
            CONSTANT_RATE: update.constantRate ?? 0,
            DECAY: options.decay * update.decayMultiplier,
          }),
        },
        bindings: [
          { buffer: "parameters", ...range },
          { buffer: "gradients", ...range },
          { buffer: "momenta", ...range },
          { buffer: "step" },
          { buffer: "lossScale" },
        ],
        workgroups: flatWorkgroups(size / 16, THREADS, limits.maxWorkgroups),
      });
    }
    return dispatches;
  });
}
