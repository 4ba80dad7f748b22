/**
 * A worker that is started before it is known for which network: it loads its code beside the main
 * thread, which has its own to load, and opens its network 50 ms earlier for it (2026-11).
 * @module
 */
import type { RunResult, RunTask } from "./run_worker.ts";
import { TaskWorker } from "./task_worker.ts";

export type RunWorker = TaskWorker<RunTask, RunResult>;

// A literal address: the service's bundle finds its workers by them.
const start = (): RunWorker => new TaskWorker(new URL("./run_worker.ts", import.meta.url));

let spare: RunWorker | undefined;

/** For whoever is about to load a network; nobody else ends the worker. */
export function startSpareWorker(): void {
  spare ??= start();
}

/** The spare one, or a new one. */
export function takeRunWorker(): RunWorker {
  const worker = spare ?? start();
  spare = undefined;
  return worker;
}
