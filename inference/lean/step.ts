import type { Heap } from "./heap.ts";
import type { Kernels } from "./kernels/load_kernels.ts";
import type { Value } from "./value.ts";

/** What a step may use when a batch size is known and every tensor has its place. */
export interface Placed {
  readonly kernels: Kernels;
  readonly heap: Heap;
  readonly batch: number;
  /** Address of the first number of the first image. */
  at(value: Value): number;
}

/** One call, or a few, of the kernels. */
export interface Step {
  /** For the profile: operator and name of the node. */
  readonly label: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Takes tables from the heap, and gives the function that computes the outputs. */
  bind(placed: Placed): () => void;
}

/** Pixels that follow one another without a gap in every tensor: [address of each, count]. */
export function pixelRuns(
  { at, batch }: Pick<Placed, "at" | "batch">,
  values: readonly Value[],
): { readonly addresses: readonly number[]; readonly pixels: number }[] {
  const { height, width } = values[0]!;
  const bare = values.every((value) =>
    value.rowBytes === width * value.pixelBytes && value.imageBytes === height * value.rowBytes
  );
  const starts = values.map((value) => at(value));
  if (bare) return [{ addresses: starts, pixels: batch * height * width }];
  return Array.from({ length: batch * height }, (_, index) => {
    const [image, row] = [Math.floor(index / height), index % height];
    return {
      addresses: values.map((value, i) =>
        starts[i]! + image * value.imageBytes + row * value.rowBytes
      ),
      pixels: width,
    };
  });
}
