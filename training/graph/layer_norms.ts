import type { Dispatch } from "../gpu/kernel.ts";
import {
  CHUNK_SUMS,
  chunksOf,
  type NormsBuffer,
  squaredSums,
} from "../kernels/norms/squared_sums.ts";
import type { ParameterArena } from "./parameters.ts";

/** Euclidean norms of one parameter and of what a step did with it. */
export interface ParameterNorms {
  readonly weight: number;
  readonly gradient: number;
  /** Of what the last step added to the weights: the momentum, which holds the rate. */
  readonly update: number;
}

/** By parameter name: "conv1.weight". */
export type LayerNorms = ReadonlyMap<string, ParameterNorms>;

/** A range of an arena, and where its sums lie. */
interface Range {
  readonly name: string;
  readonly dispatch: Dispatch<NormsBuffer>;
  readonly first: number;
  readonly chunks: number;
}

/** Where the profiler would count them. */
const PART = { node: "norms", direction: "update" } as const;
/** Bindings start at multiples of this. */
const ALIGNMENT = 256;
const CHUNK_BYTES = 4 * CHUNK_SUMS;

/** How the norms of an arena are computed: dispatches, and the layout of their sums. */
export class NormsPlan {
  readonly dispatches: readonly (Dispatch<NormsBuffer> & typeof PART)[];
  /** Of the buffer "norms". */
  readonly bytes: number;
  readonly #ranges: readonly Range[];

  constructor(
    { slots }: ParameterArena,
    limits: { readonly maxBindingBytes: number; readonly maxWorkgroups: number },
  ) {
    const largest = Math.floor(limits.maxBindingBytes / ALIGNMENT) * ALIGNMENT;
    const ranges: Range[] = [];
    let bytes = 0;
    for (const { name, offset, size } of slots) {
      for (let done = 0; done < size; done += largest) {
        const range = { offset: offset + done, size: Math.min(largest, size - done) };
        const chunks = chunksOf(range.size / 4);
        const sums = { offset: bytes, size: chunks * CHUNK_BYTES };
        const dispatch = squaredSums(range, sums, limits.maxWorkgroups);
        ranges.push({ name, dispatch, first: bytes / CHUNK_BYTES, chunks });
        bytes += Math.ceil(sums.size / ALIGNMENT) * ALIGNMENT;
      }
    }
    this.#ranges = ranges;
    this.bytes = bytes;
    this.dispatches = ranges.map(({ dispatch }) => ({ ...dispatch, ...PART }));
  }

  /**
   * @param sums what the dispatches left in "norms"
   * @param scale what the gradients are multiplied by (float16)
   */
  norms(sums: Float32Array, scale: number): LayerNorms {
    const squares = new Map<string, [number, number, number]>();
    for (const { name, first, chunks } of this.#ranges) {
      const own = squares.get(name) ?? [0, 0, 0];
      for (let chunk = first; chunk < first + chunks; chunk++) {
        for (const i of [0, 1, 2] as const) own[i] += sums[chunk * CHUNK_SUMS + i]!;
      }
      squares.set(name, own);
    }
    return new Map(
      [...squares].map(([name, [weight, gradient, update]]) => [
        name,
        {
          weight: Math.sqrt(weight),
          gradient: Math.sqrt(gradient) / scale,
          update: Math.sqrt(update),
        },
      ]),
    );
  }
}
