/**
 * Dynamic loss scaling. float16 ends at 65,504 and has nothing below 6e-8, and gradients of
 * activations are mostly small: the loss is multiplied by a scale, and the update divides by it.
 *
 * The scale and its counters live on the GPU and no step reads them back: where a gradient of a
 * parameter is not finite, a flag makes the update leave everything as it is, and the scale halves;
 * after {@link GROWTH_INTERVAL} updates in a row it doubles. In float32 the scale is 1.
 * @module
 */
import { type Dispatch, specialize } from "../../gpu/kernel.ts";
import { bindingRanges } from "../binding_ranges.ts";
import { checkFinite } from "../finite/finite.ts";
import adaptText from "./adapt.wgsl" with { type: "text" };
import stateText from "./loss_scale_state.wgsl" with { type: "text" };

/** What a checkpoint keeps. */
export interface LossScale {
  readonly scale: number;
  /** Updates since the scale changed last. */
  readonly goodSteps: number;
  /** Updates that were left out since the start. */
  readonly skipped: number;
}

/**
 * A scale that is too high costs one step for each halving, one that is too low loses gradients in
 * silence: so it starts high. A gradient of a logit is at most 1 / batch; scaled by 2^16 it is
 * finite from a batch of two on, with 16 more bits above float16's smallest number.
 */
export const FIRST_LOSS_SCALE: LossScale = { scale: 2 ** 16, goodSteps: 0, skipped: 0 };
export const NO_LOSS_SCALE: LossScale = { scale: 1, goodSteps: 0, skipped: 0 };
export const GROWTH_INTERVAL = 2000;
/** Where halving ends: gradients that overflow even so come from a training that diverged. */
export const LEAST_SCALE = 2 ** -14;
const MOST_SCALE = 2 ** 24;

export const LOSS_SCALE_BYTES = 20;
/** Word of the state that is the flag. */
const OVERFLOW_WORD = 4;

/** @param ofGradients the scale that the gradients at hand were computed with */
export function encodeLossScale(
  { scale, goodSteps, skipped }: LossScale,
  ofGradients = scale,
): ArrayBuffer {
  const bytes = new ArrayBuffer(LOSS_SCALE_BYTES);
  const view = new DataView(bytes);
  view.setFloat32(0, scale, true);
  view.setFloat32(4, ofGradients, true);
  view.setUint32(8, goodSteps, true);
  view.setUint32(12, skipped, true);
  return bytes;
}

export function decodeLossScale(bytes: ArrayBuffer): LossScale & { readonly ofGradients: number } {
  const view = new DataView(bytes);
  return {
    scale: view.getFloat32(0, true),
    ofGradients: view.getFloat32(4, true),
    goodSteps: view.getUint32(8, true),
    skipped: view.getUint32(12, true),
  };
}

/** Sets the flag where a gradient is not finite: before the update. */
export function findOverflow(
  bytes: number,
  limits: { readonly maxBindingBytes: number; readonly maxWorkgroups: number },
): Dispatch<"gradients" | "lossScale">[] {
  const { maxWorkgroups } = limits;
  return bindingRanges(bytes, limits).map((range) =>
    checkFinite({
      values: { buffer: "gradients" as const, ...range },
      flags: "lossScale" as const,
      flag: OVERFLOW_WORD,
      maxWorkgroups,
    })
  );
}

/** Takes the flag down and adapts the scale to it: after the update. */
export function adaptLossScale(
  growthInterval = GROWTH_INTERVAL,
): Dispatch<"lossScale"> {
  const constants = { GROWTH_INTERVAL: growthInterval, LEAST: LEAST_SCALE, MOST: MOST_SCALE };
  return {
    kernel: { label: "adapt loss scale", code: stateText + specialize(adaptText, constants) },
    bindings: [{ buffer: "lossScale" }],
    workgroups: [1, 1, 1],
  };
}
