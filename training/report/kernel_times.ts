import { z } from "zod";

const TraceSchema = z.object({
  traceEvents: z.array(z.object({
    name: z.string(),
    ph: z.string(),
    tid: z.int(),
    dur: z.number().optional(),
    args: z.object({ step: z.number().optional() }),
  })),
});

export interface KernelTime {
  /** "conv1 forward" */
  readonly name: string;
  /** Of one step. */
  readonly milliseconds: number;
  readonly share: number;
}

/** As the profiler's trace numbers its tracks. */
const DIRECTIONS: Readonly<Record<number, string>> = { 1: "forward", 2: "backward", 3: "update" };

/** Mean times of a profiled run's steps, from its `trace.json`, the longest first. */
export function kernelTimesOf(trace: unknown): KernelTime[] {
  const events = TraceSchema.parse(trace).traceEvents.filter(({ ph }) => ph === "X");
  const steps = new Set(events.map(({ args }) => args.step)).size;
  const times = new Map<string, number>();
  for (const { name, tid, dur = 0 } of events) {
    const key = `${name} ${DIRECTIONS[tid] ?? ""}`.trim();
    times.set(key, (times.get(key) ?? 0) + dur / 1000 / steps);
  }
  const total = [...times.values()].reduce((sum, time) => sum + time, 0);
  return [...times]
    .map(([name, milliseconds]) => ({ name, milliseconds, share: milliseconds / total }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
}
