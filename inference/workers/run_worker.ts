// One network in one worker: it computes on the thread that calls it, and onnxruntime-web replaces
// globalThis.Worker where it is imported, so neither may happen where requests are accepted. It
// reads the weights itself: what passes through another thread waits for that thread's work.
import { free } from "../../shared/free.ts";
import type { ModelManifest } from "../../shared/manifest.ts";
import { UnsupportedError } from "../lean/unsupported.ts";
import { openSource, type WeightsSource } from "../models/weights_source.ts";
import { publishedWeights } from "./published_weights.ts";
import type { Runtime } from "./runtimes.ts";
import { openSession, type Session, type SessionManifest } from "./session.ts";
import { answerTasks } from "./task_worker.ts";

export type RunTask =
  | {
    readonly kind: "open";
    readonly source: WeightsSource;
    readonly manifest: SessionManifest & Pick<ModelManifest, "weights">;
    /** The engine; `auto` is the lean one where it has the network's operators. */
    readonly runtime: Runtime | "auto";
    readonly threads: number;
  }
  | { readonly kind: "run"; readonly inputs: Float32Array<ArrayBuffer>; readonly count: number };

/** Probabilities [count, classes]; none for an opened network. */
export interface RunResult {
  readonly probabilities: Float32Array<ArrayBuffer>;
  readonly milliseconds: number;
  /** The engine that runs the network. */
  readonly runtime: Runtime;
  /** In milliseconds since 1970, so that other threads can place it. */
  readonly startedAt: number;
}

let session: Session | undefined;

answerTasks(async (task: RunTask, transfer): Promise<RunResult> => {
  const started = performance.now();
  const startedAt = performance.timeOrigin + started;
  if (task.kind === "open") {
    session = await open(task);
    const milliseconds = performance.now() - started;
    const { runtime } = session;
    return { probabilities: new Float32Array(), milliseconds, startedAt, runtime };
  }
  if (session === undefined) throw new TypeError("Cannot run: no network is loaded");
  const probabilities = new Float32Array(await session.run(task.inputs, task.count));
  free(task.inputs);
  transfer.push(probabilities.buffer);
  const { runtime } = session;
  return { probabilities, milliseconds: performance.now() - started, startedAt, runtime };
});

async function open(
  { source, manifest, runtime, threads }: Extract<RunTask, { kind: "open" }>,
): Promise<Session> {
  const store = openSource(source);
  const weights = publishedWeights(store, manifest);
  const openOnce = () => openSession(weights, manifest, { runtime, threads });
  try {
    return await openOnce().catch(async (error) => {
      // A file of the cache that was altered is known for one when it has failed.
      if (!await store.dropAltered?.(manifest.weights.key)) throw error;
      return await openOnce();
    });
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    const { name, version } = manifest;
    throw new RangeError(
      `Cannot serve ${name} ${version} on the lean engine: it does not have ${error.message} ` +
        "(leave --runtime out)",
      { cause: error },
    );
  }
}
