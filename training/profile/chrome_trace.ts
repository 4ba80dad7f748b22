import type { StepPart } from "../graph/engine_options.ts";
import type { StepTimes } from "./profile.ts";

/** Tracks by their thread number, from top to bottom. */
const TRACKS: Readonly<Record<StepPart["direction"], number>> = {
  forward: 1,
  backward: 2,
  update: 3,
};

/** Microseconds, as the format has them. */
interface TraceEvent {
  readonly name: string;
  readonly ph: "X" | "M";
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly args: Readonly<Record<string, string | number>>;
}

/**
 * Steps in the Trace Event Format, which chrome://tracing and Perfetto open: a track for each of
 * forward, backward and update, an event for each dispatch.
 */
export function chromeTrace(
  steps: readonly StepTimes[],
  name: string,
): { readonly displayTimeUnit: "ms"; readonly traceEvents: readonly TraceEvent[] } {
  const start = steps[0]?.[0]?.startMilliseconds ?? 0;
  const events = steps.flatMap((times, step) =>
    times.map((time): TraceEvent => {
      const { node, direction, problem } = time.dispatch;
      const flops = 2 * (problem?.multiplyAdds ?? 0);
      return {
        name: node,
        ph: "X",
        pid: 1,
        tid: TRACKS[direction],
        ts: 1000 * (time.startMilliseconds - start),
        dur: 1000 * time.milliseconds,
        args: {
          kernel: time.label,
          step,
          ...(flops > 0 ? { "GFLOP/s": flops / time.milliseconds / 1e6 } : {}),
        },
      };
    })
  );
  const names = Object.entries(TRACKS).map(([direction, tid]): TraceEvent => ({
    name: "thread_name",
    ph: "M",
    pid: 1,
    tid,
    args: { name: direction },
  }));
  const process: TraceEvent = { name: "process_name", ph: "M", pid: 1, tid: 0, args: { name } };
  return { displayTimeUnit: "ms", traceEvents: [process, ...names, ...events] };
}
