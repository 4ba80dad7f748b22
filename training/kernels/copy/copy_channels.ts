/**
 * Copies between a tensor and tensors that hold its channels in parts, one after another.
 * @module
 */
import { type Dispatch, flatWorkgroups, type KernelTarget, specialize } from "../../gpu/kernel.ts";
import text from "./copy_channels.wgsl" with { type: "text" };

const THREADS = 64;

interface Tensor<Ref> {
  readonly buffer: Ref;
  /** Numbers a pixel, a multiple of four. */
  readonly stride: number;
}

export interface ChannelParts<Ref> {
  /** Pixels of all images. */
  readonly pixels: number;
  readonly whole: Tensor<Ref>;
  /** Each begins where the one before ends; together they are as long as the whole. */
  readonly parts: readonly Tensor<Ref>[];
  readonly target: KernelTarget;
}

/** Writes the whole: one dispatch for each part, in their order. */
export function joinChannels<Ref>(options: ChannelParts<Ref>): Dispatch<Ref>[] {
  const { parts, whole } = options;
  return parts.map((part, i) =>
    copy(options, part.stride, { ...part, at: 0 }, { ...whole, at: startOf(parts, i) })
  );
}

/** Writes the parts: one dispatch for each, in their order. */
export function splitChannels<Ref>(options: ChannelParts<Ref>): Dispatch<Ref>[] {
  const { parts, whole } = options;
  return parts.map((part, i) =>
    copy(options, part.stride, { ...whole, at: startOf(parts, i) }, { ...part, at: 0 })
  );
}

function startOf(parts: readonly { stride: number }[], index: number): number {
  return parts.slice(0, index).reduce((sum, { stride }) => sum + stride, 0);
}

function copy<Ref>(
  { pixels, target: { maxWorkgroups, precision } }: ChannelParts<Ref>,
  floats: number,
  from: Tensor<Ref> & { at: number },
  to: Tensor<Ref> & { at: number },
): Dispatch<Ref> {
  const vectors = pixels * floats / 4;
  return {
    kernel: {
      label:
        `copy of ${floats} channels at ${from.at} of ${from.stride} to ${to.at} of ${to.stride}`,
      code: specialize(text, {
        VECTORS: vectors,
        PIXEL_VECTORS: floats / 4,
        FROM_STRIDE: from.stride / 4,
        FROM_AT: from.at / 4,
        TO_STRIDE: to.stride / 4,
        TO_AT: to.at / 4,
      }, precision),
    },
    bindings: [{ buffer: from.buffer }, { buffer: to.buffer }],
    workgroups: flatWorkgroups(vectors, THREADS, maxWorkgroups),
  };
}
