/**
 * Runs a retraining at each window of a schedule, and at events between them. One run at a time:
 * windows that pass meanwhile are one run afterwards, as are those that passed while no scheduler
 * ran. Of several schedulers of one model each window is one's, by compare-and-swap; what two of them
 * begin at once the retraining's lease keeps apart.
 * @module
 */
import type { ObjectStore } from "../../../shared/object_store/object_store.ts";
import { readState, type ScheduleState, type StoredState, swapState } from "./schedule_state.ts";
import type { Windows } from "./windows.ts";

export interface ScheduleOptions {
  readonly store: ObjectStore;
  readonly model: string;
  readonly windows: Windows;
  /** Windows that passed longer ago are given up. */
  readonly catchUpMs: number;
  /** A run waits a random part of this after its window, so that many do not begin at once. */
  readonly jitterMs: number;
  /** How often events are looked for. */
  readonly watchMs: number;
  /** Why a run is due beside the windows, or null; left out where only windows count. */
  readonly look?: (() => Promise<string | null>) | undefined;
  /** Retrains and gives the exit code. */
  readonly retrain: () => Promise<number>;
  /** Ends when nothing is due any more, and does not wait. */
  readonly once: boolean;
  readonly by: string;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: (event: ScheduleEvent) => void;
}

export interface Clock {
  now(): Date;
  /** Resolves after so long, or when the signal is set. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** In [0, 1). */
  random(): number;
}

export type ScheduleEvent =
  | { readonly event: "waiting"; readonly next: string }
  | { readonly event: "begins"; readonly why: string; readonly delaySeconds: number }
  | { readonly event: "ended"; readonly exitCode: number; readonly seconds: number }
  | { readonly event: "taken"; readonly why: string }
  | { readonly event: "failed"; readonly reason: string };

/** The exit code of a retraining that found another one at it, see `topfive retrain --help`. */
const HELD = 4;
/** A computer that slept wakes its timers late: the clock is looked at this often. */
const LONGEST_SLEEP_MS = 60_000;

/**
 * Goes on until the signal is set, or with `once` until nothing is due. The store may be away for a
 * while; only what keeps the very first look from being made is thrown.
 *
 * @returns the exit code of the last run; 0 where there was none.
 */
export async function runSchedule(options: ScheduleOptions): Promise<number> {
  const { signal, clock, log, windows, once } = options;
  let exitCode = 0;
  let announced = "";
  let isFirst = true;
  /** Whether a run that some scheduler left is still to be gone on with. */
  let resumes = true;
  let lookedAt = -Infinity;
  while (!signal.aborted) {
    try {
      const stored = await open(options);
      const now = clock.now();
      const looks = now.getTime() - lookedAt >= options.watchMs;
      if (looks) lookedAt = now.getTime();
      const due = (resumes ? unfinished(stored.state) : null) ??
        dueWindow(stored.state, options) ?? (looks ? await dueEvent(options) : null);
      isFirst = false;
      if (due !== null) {
        const code = await run(options, stored, due);
        exitCode = code ?? exitCode;
        // The lease of a process that was killed lasts a while.
        resumes &&= code === HELD;
        if (!resumes) continue;
      } else resumes = false;
    } catch (error) {
      if (isFirst) throw error;
      log({ event: "failed", reason: (error as Error).message });
    }
    if (once) break;
    const next = windows.next(clock.now());
    if (announced !== next.toISOString()) log({ event: "waiting", next: next.toISOString() });
    announced = next.toISOString();
    const until = next.getTime() - clock.now().getTime();
    const watch = options.look ? options.watchMs : Infinity;
    await clock.sleep(Math.max(0, Math.min(until, watch, LONGEST_SLEEP_MS)), signal);
  }
  return exitCode;
}

interface Due {
  readonly why: string;
  /** Dealt with by the run. */
  readonly window?: Date;
  readonly jitter: boolean;
  /** The run that it goes on with. */
  readonly resumes?: ScheduleState["run"];
}

/** The state, which the first start of all makes: windows before it are nobody's. */
async function open({ store, model, clock }: ScheduleOptions): Promise<StoredState> {
  const stored = await readState(store, model);
  if (stored !== null) return stored;
  const state = { lastWindow: clock.now().toISOString(), run: null };
  const made = await swapState(store, model, state, undefined) ?? await readState(store, model);
  return made!;
}

/** A run that its scheduler left, or that another one works on: the retraining's lease tells. */
function unfinished({ run }: ScheduleState): Due | null {
  if (run === null || run.endedAt !== null) return null;
  const why = `a run of ${run.startedAt} (${run.why}) did not end`;
  return { why, jitter: false, resumes: run };
}

function dueWindow({ lastWindow }: ScheduleState, options: ScheduleOptions): Due | null {
  const { windows, catchUpMs, clock } = options;
  const now = clock.now();
  const oldest = now.getTime() - catchUpMs - LONGEST_SLEEP_MS;
  const passed = windows.passed(new Date(Math.max(Date.parse(lastWindow), oldest)), now);
  if (passed === null) return null;
  const { latest: window, count } = passed;
  const missed = count > 1 ? `, and ${count - 1} that were missed` : "";
  return { why: `window of ${window.toISOString()}${missed}`, window, jitter: true };
}

async function dueEvent({ look }: ScheduleOptions): Promise<Due | null> {
  const why = await look?.() ?? null;
  return why === null ? null : { why, jitter: false };
}

/** Null where another scheduler took it, or the signal came before it began. */
async function run(
  options: ScheduleOptions,
  { state, etag }: StoredState,
  { why, window, jitter, resumes }: Due,
): Promise<number | null> {
  const { store, model, clock, log, signal, by, retrain } = options;
  const lastWindow = window?.toISOString() ?? state.lastWindow;
  const begun = {
    ...{ why, by, startedAt: clock.now().toISOString(), endedAt: null, exitCode: null },
  };
  const claimed = await swapState(store, model, { lastWindow, run: begun }, etag);
  if (claimed === null) {
    log({ event: "taken", why });
    return null;
  }
  const delay = jitter ? clock.random() * options.jitterMs : 0;
  log({ event: "begins", why, delaySeconds: Math.round(delay / 1000) });
  await clock.sleep(delay, signal);
  if (signal.aborted) return null;
  const started = clock.now().getTime();
  const exitCode = await retrain();
  const ended = clock.now();
  log({ event: "ended", exitCode, seconds: Math.round((ended.getTime() - started) / 1000) });
  if (exitCode === HELD && resumes) {
    await swapState(store, model, { lastWindow, run: resumes }, claimed.etag);
    return exitCode;
  }
  // What was stopped goes on at the next start.
  if (signal.aborted && exitCode !== 0) return exitCode;
  const run = { ...begun, endedAt: ended.toISOString(), exitCode };
  await swapState(store, model, { lastWindow, run }, claimed.etag);
  return exitCode;
}
