import type { Heap } from "./heap.ts";
import type { KernelName, Kernels } from "./kernels/load_kernels.ts";
import type { Value } from "./value.ts";

/** One call of a kernel, as data: any thread can make it. */
export interface Call {
  readonly kernel: KernelName;
  readonly parameters: readonly number[];
}

/** Calls that one thread makes, in this order. */
export type Task = readonly Call[];

/** What a step may use when a batch size is known and every tensor has its place. */
export interface Placed {
  readonly kernels: Kernels;
  readonly heap: Heap;
  readonly batch: number;
  /** Address of the first number of the first image. */
  at(value: Value): number;
  /** The number of tasks that work of so many nanoseconds of one thread is worth. */
  tasks(nanoseconds: number): number;
}

/** One node of the network, or a few. */
export interface Step {
  /** For the profile: operator and name of the node. */
  readonly label: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /**
   * Takes tables from the heap, and gives the calls that compute the outputs. Tasks may be done at
   * the same time; into however many the calls are divided, each output is computed alike.
   */
  bind(placed: Placed): readonly Task[];
}

/** Makes a task's calls. */
export function perform(kernels: Kernels, task: Task): void {
  for (const { kernel, parameters } of task) kernels[kernel](...parameters);
}

/** A part of `length` things in a row. */
export interface Range {
  readonly from: number;
  readonly count: number;
}

/** `length` in at most so many parts, nearly equal; all but the last are multiples of `grain`. */
export function ranges(length: number, parts: number, grain = 1): Range[] {
  const grains = Math.max(1, Math.floor(length / grain));
  const count = Math.min(parts, grains);
  const cut = (part: number) => part === count ? length : Math.floor(part * grains / count) * grain;
  return Array.from({ length: count }, (_, part) => {
    const from = cut(part);
    return { from, count: cut(part + 1) - from };
  });
}

/** Calls in at most so many tasks. */
export function inTasks(calls: readonly Call[], tasks: number): Task[] {
  return ranges(calls.length, tasks).map(({ from, count }) => calls.slice(from, from + count));
}

/** Pixels that follow one another without a gap in every tensor. */
export interface PixelRun {
  /** Of the first pixel in each tensor. */
  readonly addresses: readonly number[];
  readonly pixels: number;
}

/** A call for each run of pixels that a task is given. */
export function pixelTasks(
  { at, batch }: Pick<Placed, "at" | "batch">,
  values: readonly Value[],
  tasks: number,
  call: (run: PixelRun, task: number) => Call,
): Task[] {
  const { height, width } = values[0]!;
  const bare = values.every((value) =>
    value.rowBytes === width * value.pixelBytes && value.imageBytes === height * value.rowBytes
  );
  const starts = values.map((value) => at(value));
  if (bare) {
    return ranges(batch * height * width, tasks).map(({ from, count }, task) => {
      const addresses = values.map((value, i) => starts[i]! + from * value.pixelBytes);
      return [call({ addresses, pixels: count }, task)];
    });
  }
  return ranges(batch * height, tasks).map(({ from, count }, task) =>
    Array.from({ length: count }, (_, index) => {
      const [image, row] = [Math.floor((from + index) / height), (from + index) % height];
      const addresses = values.map((value, i) =>
        starts[i]! + image * value.imageBytes + row * value.rowBytes
      );
      return call({ addresses, pixels: width }, task);
    })
  );
}
