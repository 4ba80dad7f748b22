// One network in one worker: it computes on the thread that calls it, and onnxruntime-web replaces
// globalThis.Worker where it is imported, so neither may happen where requests are accepted.
import { leanSession } from "../lean/lean_session.ts";
import { UnsupportedError } from "../lean/unsupported.ts";
import type { WeightsFile } from "../onnxruntime/weights_file.ts";
import type { Runtime } from "./runtimes.ts";
import { openSession, type Session, type SessionManifest } from "./session.ts";
import { answerTasks } from "./task_worker.ts";
import { receiveWeights } from "./weights_channel.ts";

export type RunTask =
  /** A session on the lean engine, which takes the weights as `sendWeights` sends them. */
  | {
    readonly kind: "stream";
    readonly weights: MessagePort;
    readonly manifest: SessionManifest;
  }
  /** One on ONNX Runtime. */
  | {
    readonly kind: "load";
    readonly runtime: Runtime;
    readonly weights: Uint8Array<ArrayBuffer> | WeightsFile;
    readonly manifest: SessionManifest;
    readonly threads: number;
  }
  | { readonly kind: "run"; readonly inputs: Float32Array<ArrayBuffer>; readonly count: number };

/** Probabilities [count, classes]; none for a load. */
export interface RunResult {
  readonly probabilities: Float32Array<ArrayBuffer>;
  readonly milliseconds: number;
  /** The engine that runs the network, or that cannot. */
  readonly runtime: Runtime;
  /** In milliseconds since 1970, so that other threads can place it. */
  readonly startedAt: number;
  /** Why the lean engine cannot run the network: nothing is loaded. */
  readonly unsupported?: string;
}

let session: Session | undefined;

answerTasks(async (task: RunTask, transfer): Promise<RunResult> => {
  const started = performance.now();
  const startedAt = performance.timeOrigin + started;
  if (task.kind !== "run") {
    const opened = await open(task);
    const milliseconds = performance.now() - started;
    const loaded = { probabilities: new Float32Array(), milliseconds, startedAt };
    if (typeof opened === "string") return { ...loaded, runtime: "lean", unsupported: opened };
    session = opened;
    return { ...loaded, runtime: session.runtime };
  }
  if (session === undefined) throw new TypeError("Cannot run: no network is loaded");
  const probabilities = new Float32Array(await session.run(task.inputs, task.count));
  transfer.push(probabilities.buffer);
  const { runtime } = session;
  return { probabilities, milliseconds: performance.now() - started, startedAt, runtime };
});

/** A session, or why there is none on this engine. */
async function open(task: Exclude<RunTask, { kind: "run" }>): Promise<Session | string> {
  const { manifest } = task;
  if (task.kind === "load") {
    const { weights, runtime, threads } = task;
    return await openSession(weights, manifest, { runtime, threads });
  }
  try {
    return await leanSession(receiveWeights(task.weights), manifest);
  } catch (error) {
    if (error instanceof UnsupportedError) return error.message;
    throw error;
  }
}
