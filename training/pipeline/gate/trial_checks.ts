/** Checks of how the real service took the candidate. */
import type { Check } from "./decision.ts";
import type { GatePolicy } from "./policy.ts";

/** What a trial in a fresh process of the service saw. */
export interface TrialResult {
  /** Why the service did not load it, or null where it did. */
  readonly loadFailure: string | null;
  /** Why the answer to the manifest's self-test was refused, or null where it was as published. */
  readonly selfTestFailure: string | null;
  /** Largest memory of the service's process, with the model loaded and asked. */
  readonly peakMemoryBytes: number | null;
  /** 95th percentile of a request's time. */
  readonly latencyMs: number | null;
}

/** A candidate that did not load has no further measures: that check alone is given. */
export function checkTrial(trial: TrialResult, policy: GatePolicy): Check[] {
  const { loadFailure, selfTestFailure, peakMemoryBytes, latencyMs } = trial;
  const loads: Check = {
    name: "loads",
    passed: loadFailure === null,
    reason: loadFailure === null
      ? "the service loads it"
      : `the service does not load it: ${loadFailure}`,
    numbers: {},
  };
  if (!loads.passed) return [loads];
  return [
    loads,
    {
      name: "self-test",
      passed: selfTestFailure === null,
      reason: selfTestFailure === null
        ? "the service answers its self-test as published"
        : `the service does not answer its self-test as published: ${selfTestFailure}`,
      numbers: {},
    },
    withinBudget("memory", peakMemoryBytes, policy.maxPeakMemoryBytes, megabytes),
    withinBudget("latency", latencyMs, policy.maxLatencyMs, (ms) => `${ms.toFixed(1)} ms`),
  ];
}

/** What was not measured fails where there is a budget for it. */
function withinBudget(
  name: "memory" | "latency",
  measured: number | null,
  most: number | null,
  format: (value: number) => string,
): Check {
  const what = name === "memory" ? "peak memory of the service" : "latency (95th percentile)";
  const seen = measured === null ? "not measured" : format(measured);
  return {
    name,
    passed: most === null || (measured !== null && measured <= most),
    reason: `${what}: ${seen}, ${most === null ? "no budget set" : `at most ${format(most)}`}`,
    numbers: { measured, most },
  };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
