import type { BatchedRun } from "../workers/batcher.ts";
import type { NetworkInputs } from "../workers/make_inputs.ts";

/** What an image goes through: it queues twice, for a decoder and for the network. */
export type StageName = "queue" | "decode" | "preprocess" | "run";

/** A part of the work on one image, measured in the worker that did it. */
export interface Stage {
  readonly name: StageName;
  /** Milliseconds since 1970: workers have clocks of their own. */
  readonly startedAt: number;
  readonly milliseconds: number;
}

/** Milliseconds since 1970, finer than `Date.now()`. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * The stages of one image in their order: queue, decode, preprocess, queue, run. Several inputs of one
 * image (ten views) are one run, from the begin of the first to the end of the last.
 *
 * @param made is undefined where the client sent the network's own input
 */
export function stagesOf(
  arrivedAt: number,
  made: Pick<NetworkInputs, "startedAt" | "decodeMs" | "preprocessMs"> | undefined,
  runs: readonly Pick<BatchedRun, "startedAt" | "milliseconds">[],
): Stage[] {
  const began = Math.min(...runs.map(({ startedAt }) => startedAt));
  const ended = Math.max(...runs.map(({ startedAt, milliseconds }) => startedAt + milliseconds));
  const run = between("run", began, ended);
  if (made === undefined) return [between("queue", arrivedAt, began), run];
  const decoded = made.startedAt + made.decodeMs;
  const preprocessed = decoded + made.preprocessMs;
  return [
    between("queue", arrivedAt, made.startedAt),
    between("decode", made.startedAt, decoded),
    between("preprocess", decoded, preprocessed),
    between("queue", preprocessed, began),
    run,
  ];
}

/** Threads' clocks may differ by some microseconds: no stage is shorter than nothing. */
function between(name: StageName, startedAt: number, endedAt: number): Stage {
  return { name, startedAt, milliseconds: Math.max(0, endedAt - startedAt) };
}

/** Milliseconds of all stages of a name. */
export function total(stages: readonly Stage[], name: StageName): number {
  return stages.reduce((sum, stage) => stage.name === name ? sum + stage.milliseconds : sum, 0);
}
