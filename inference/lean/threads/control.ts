/**
 * How the threads of a run agree, by words of the memory that they share. A run's tasks have numbers;
 * a phase's tasks, those below the limit, may be done at the same time. Whoever is free takes the next
 * one, so a thread that comes late, or never, delays nobody; the leader goes on to the next phase when
 * all that were taken are done.
 * @module
 */

/** Each word on a cache line of its own. */
const LINE = 16;
/** The number of the run: a follower that waits for one waits here. */
const RUN = 0 * LINE;
/** The run's number << 16 | the next task: one word, so that nobody takes a task of another run. */
const NEXT = 1 * LINE;
/** Tasks below it may be taken. */
const LIMIT = 2 * LINE;
/** Tasks that are done. */
const DONE = 3 * LINE;
/** 1 while the leader sleeps until tasks are done. */
const LEADER_SLEEPS = 4 * LINE;
/** Address and bytes of the program, and its number: 0 while it is written. */
const PROGRAM = 5 * LINE;
/** 1 when a follower could not do a task. */
const FAILED = 6 * LINE;

export const CONTROL_BYTES = 7 * LINE * 4;
/** Tasks of a run that can be counted. */
export const MOST_TASKS = 0xffff;
const MOST_RUNS = 0x7fff;

/** Turns of a loop before a thread sleeps, about 50 microseconds. */
const SPINS = 1000;
/** No task takes as long: a thread that is waited for does not live, or the leader has gone. */
const PATIENCE_MS = 10_000;

export interface ProgramPlace {
  readonly version: number;
  readonly at: number;
  readonly numbers: number;
}

/** A hint to the processor that this is a loop that waits (ECMAScript 2026, `Atomics.pause`). */
const pause = (Atomics as { pause?: () => void }).pause ?? (() => {});

export class Control {
  readonly #words: Int32Array;
  readonly #patienceMs: number;

  /** @param at where `CONTROL_BYTES` zeros lie in a memory that threads share */
  constructor(memory: WebAssembly.Memory, at: number, patienceMs = PATIENCE_MS) {
    this.#words = new Int32Array(memory.buffer, at, CONTROL_BYTES / 4);
    this.#patienceMs = patienceMs;
  }

  // The leader's side.

  /** Takes the last run's program away: its memory is going to be written. */
  withdraw(): void {
    Atomics.store(this.#words, PROGRAM, 0);
  }

  /** Begins a run of a program. */
  begin({ version, at, numbers }: ProgramPlace): void {
    if (Atomics.load(this.#words, PROGRAM) !== version) {
      Atomics.store(this.#words, PROGRAM, 0);
      Atomics.store(this.#words, PROGRAM + 1, at);
      Atomics.store(this.#words, PROGRAM + 2, numbers);
      Atomics.store(this.#words, PROGRAM, version);
    }
    const run = (Atomics.load(this.#words, RUN) + 1) & MOST_RUNS;
    Atomics.store(this.#words, LIMIT, 0);
    Atomics.store(this.#words, NEXT, run << 16);
    Atomics.store(this.#words, DONE, 0);
    Atomics.store(this.#words, RUN, run);
    Atomics.notify(this.#words, RUN);
  }

  /** Opens the phase that ends at a task; after the last one, sends those home who wait for another. */
  open(limit: number): void {
    Atomics.store(this.#words, LIMIT, limit);
    Atomics.notify(this.#words, LIMIT);
  }

  /** Takes a task that is a phase by itself, which is not opened. */
  takeAlone(): void {
    Atomics.add(this.#words, NEXT, 1);
  }

  /**
   * Waits until every task below the limit is done.
   *
   * @throws {Error} when a follower could not do its task, or does not live any more.
   */
  finish(limit: number): void {
    for (let spin = 0; spin < SPINS && Atomics.load(this.#words, DONE) < limit; spin++) pause();
    Atomics.store(this.#words, LEADER_SLEEPS, 1);
    for (;;) {
      const done = Atomics.load(this.#words, DONE);
      if (done >= limit) break;
      const woken = Atomics.wait(this.#words, DONE, done, this.#patienceMs);
      if (woken === "timed-out") {
        throw new Error(`Cannot run: a thread has not done its task in ${this.#patienceMs} ms`);
      }
    }
    Atomics.store(this.#words, LEADER_SLEEPS, 0);
    if (Atomics.load(this.#words, FAILED) === 1) {
      throw new Error("Cannot run: a kernel failed on another thread");
    }
  }

  // Both sides.

  get run(): number {
    return Atomics.load(this.#words, RUN);
  }

  /** Takes the next task of the phase that is open; -1 where there is none. */
  take(run: number): number {
    for (;;) {
      const next = Atomics.load(this.#words, NEXT);
      const task = next & MOST_TASKS;
      // In this order: a limit of the next run is not read together with a task of this one, because
      // that task is not taken then.
      if (next >> 16 !== run || task >= Atomics.load(this.#words, LIMIT)) return -1;
      if (Atomics.compareExchange(this.#words, NEXT, next, next + 1) === next) return task;
    }
  }

  /** Says that a task is done. */
  done(): void {
    Atomics.add(this.#words, DONE, 1);
    if (Atomics.load(this.#words, LEADER_SLEEPS) === 1) Atomics.notify(this.#words, DONE);
  }

  // A follower's side.

  /** Resolves when a run begins after that one. The thread does other things meanwhile. */
  async nextRun(run: number): Promise<number> {
    for (;;) {
      const now = Atomics.load(this.#words, RUN);
      if (now !== run) return now;
      await Atomics.waitAsync(this.#words, RUN, run).value;
    }
  }

  /** Where the program lies; nothing while it is written. */
  get program(): ProgramPlace | undefined {
    const version = Atomics.load(this.#words, PROGRAM);
    const at = Atomics.load(this.#words, PROGRAM + 1);
    const numbers = Atomics.load(this.#words, PROGRAM + 2);
    const same = version !== 0 && Atomics.load(this.#words, PROGRAM) === version;
    return same ? { version, at, numbers } : undefined;
  }

  /** Tasks below it may be taken. */
  get limit(): number {
    return Atomics.load(this.#words, LIMIT);
  }

  /** Waits for another limit than that one; false when the run, of so many tasks, is over. */
  awaitLimit(run: number, tasks: number, limit: number): boolean {
    for (let spin = 0; spin < SPINS; spin++) {
      if (this.#isOver(run, tasks)) return false;
      if (this.limit !== limit) return true;
      pause();
    }
    return Atomics.wait(this.#words, LIMIT, limit, this.#patienceMs) !== "timed-out";
  }

  fail(): void {
    Atomics.store(this.#words, FAILED, 1);
  }

  /** Every task of the run is taken, or another run has begun. */
  #isOver(run: number, tasks: number): boolean {
    const next = Atomics.load(this.#words, NEXT);
    return next >> 16 !== run || (next & MOST_TASKS) >= tasks;
  }
}
