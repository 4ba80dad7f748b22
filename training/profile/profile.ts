/** Where the time of training steps goes: by layer and direction, beside what the adapter can do. */
import type { DispatchTime } from "../gpu/profiler.ts";
import type { StepDispatch, StepPart } from "../graph/engine_options.ts";
import { median } from "./median.ts";
import type { Peak } from "./peak.ts";

/** The dispatches of one training step in their order, as `Engine.profileStep()` gives them. */
export type StepTimes = readonly DispatchTime<StepDispatch>[];

export interface ProfileRow {
  readonly node: string;
  readonly direction: StepPart["direction"];
  readonly dispatches: number;
  /** Median over the steps. */
  readonly milliseconds: number;
  /** Of the step's time. */
  readonly share: number;
  /** 10^9 floating-point operations a second, padding left out; null without multiply-adds. */
  readonly gigaflops: number | null;
  /** 10^9 bytes a second that are moved at least: what is bound, once. */
  readonly gigabytes: number;
  /** Share of the adapter's measured peak: of its products or of its copies, whichever is more. */
  readonly ofPeak: number;
  readonly limit: "compute" | "memory";
}

export interface Profile {
  readonly steps: number;
  readonly images: number;
  /** Of one step, on the GPU. */
  readonly milliseconds: number;
  readonly peak: Peak;
  /** The longest first. */
  readonly rows: readonly ProfileRow[];
  /** Every dispatch of a step in its order. */
  readonly dispatches: readonly {
    readonly node: string;
    readonly direction: StepPart["direction"];
    readonly label: string;
    readonly milliseconds: number;
    readonly gigaflops: number | null;
  }[];
}

/** @throws {RangeError} without a step. */
export function profileOf(
  steps: readonly StepTimes[],
  { images, peak }: { readonly images: number; readonly peak: Peak },
): Profile {
  if (steps.length === 0) throw new RangeError("Cannot profile: no step was timed");
  const times = steps[0]!.map(({ dispatch, label }, index) => ({
    ...dispatch,
    label,
    milliseconds: median(steps.map((step) => step[index]!.milliseconds)),
  }));
  const total = sumOf(times, ({ milliseconds }) => milliseconds);
  const groups = Map.groupBy(times, ({ node, direction }) => `${node} ${direction}`);
  const rows = [...groups.values()].map((own): ProfileRow => {
    const { node, direction } = own[0]!;
    const milliseconds = sumOf(own, (time) => time.milliseconds);
    const gigaflops = rateOf(sumOf(own, multiplyAddsOf), milliseconds);
    const gigabytes = sumOf(own, ({ bytes = 0 }) => bytes) / milliseconds / 1e6;
    const compute = (gigaflops ?? 0) / peak.gigaflops;
    const memory = gigabytes / peak.gigabytes;
    return {
      node,
      direction,
      dispatches: own.length,
      milliseconds,
      share: milliseconds / total,
      gigaflops,
      gigabytes,
      ofPeak: Math.max(compute, memory),
      limit: compute > memory ? "compute" : "memory",
    };
  }).sort((a, b) => b.milliseconds - a.milliseconds);
  const dispatches = times.map((time) => {
    const { node, direction, label, milliseconds } = time;
    const gigaflops = rateOf(multiplyAddsOf(time), milliseconds);
    return { node, direction, label, milliseconds, gigaflops };
  });
  return { steps: steps.length, images, milliseconds: total, peak, rows, dispatches };
}

function multiplyAddsOf({ problem }: StepPart): number {
  return problem?.multiplyAdds ?? 0;
}

function rateOf(multiplyAdds: number, milliseconds: number): number | null {
  return multiplyAdds === 0 ? null : 2 * multiplyAdds / milliseconds / 1e6;
}

function sumOf<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}
