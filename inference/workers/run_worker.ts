// One network in one worker: onnxruntime-web computes on the thread that calls it, and replaces
// globalThis.Worker where it is imported, so neither may happen where requests are accepted.
import { createSession, type Session, type SessionManifest } from "./session.ts";
import { answerTasks } from "./task_worker.ts";

export type RunTask =
  | {
    readonly kind: "load";
    readonly weights: Uint8Array<ArrayBuffer>;
    readonly manifest: SessionManifest;
    readonly threads: number;
  }
  | { readonly kind: "run"; readonly inputs: Float32Array<ArrayBuffer>; readonly count: number };

/** Probabilities [count, classes]; none for a load. */
export interface RunResult {
  readonly probabilities: Float32Array<ArrayBuffer>;
  readonly milliseconds: number;
  /** The engine that runs the network. */
  readonly runtime: string;
  /** In milliseconds since 1970, so that other threads can place it. */
  readonly startedAt: number;
}

let session: Session | undefined;

answerTasks(async (task: RunTask, transfer): Promise<RunResult> => {
  const started = performance.now();
  const startedAt = performance.timeOrigin + started;
  if (task.kind === "load") {
    session = await createSession(task.weights, task.manifest, { threads: task.threads });
    const { runtime } = session;
    const milliseconds = performance.now() - started;
    return { probabilities: new Float32Array(), milliseconds, startedAt, runtime };
  }
  if (session === undefined) throw new TypeError("Cannot run: no network is loaded");
  const probabilities = new Float32Array(await session.run(task.inputs, task.count));
  transfer.push(probabilities.buffer);
  const { runtime } = session;
  return { probabilities, milliseconds: performance.now() - started, startedAt, runtime };
});
