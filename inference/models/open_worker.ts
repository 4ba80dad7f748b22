import type { ModelManifest } from "../../shared/manifest.ts";
import { readWeights, streamWeights } from "../../shared/model_registry.ts";
import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import type { RunResult, RunTask } from "../workers/run_worker.ts";
import type { Runtime } from "../workers/runtimes.ts";
import { TaskWorker } from "../workers/task_worker.ts";
import { sendWeights } from "../workers/weights_channel.ts";

export type NetworkWorker = TaskWorker<RunTask, RunResult>;

/** Milliseconds of each part of a cold start. */
export type LoadStages = Record<"weights_ms" | "session_ms" | "warmup_ms", number>;

export interface OpenOptions {
  /** The engine; `auto` is the lean one for a network whose operators it has. */
  readonly runtime: Runtime | "auto";
  /** Of one run, where the engine has threads. */
  readonly threads: number;
}

export interface OpenedWorker {
  readonly worker: NetworkWorker;
  /** The engine that runs the network. */
  readonly runtime: Runtime;
  readonly stages: LoadStages;
}

/** AlexNet's 244 MB take a second or two to load; whoever waits longer waits in vain. */
const LOAD_MS = 120_000;

/**
 * Verified weights → session in a worker → one run, which takes half as long again as the later
 * ones (SqueezeNet 1.0: 130 instead of 80 ms, 2026-11).
 *
 * @throws {RangeError} when the network is not what the manifest says.
 * @throws {SyntaxError} when the weights cannot be parsed.
 * @throws {Error} when the weights are missing or were changed after publishing.
 */
export async function openWorker(
  store: ObjectStore,
  manifest: ModelManifest,
  options: OpenOptions,
): Promise<OpenedWorker> {
  const worker: NetworkWorker = new TaskWorker(
    new URL("../workers/run_worker.ts", import.meta.url),
  );
  try {
    const started = performance.now();
    const { runtime, weightsMs } = await load(worker, store, manifest, options);
    const created = performance.now();
    await warmUp(worker, manifest);
    const stages = {
      weights_ms: Math.round(weightsMs),
      session_ms: Math.round(created - started - weightsMs),
      warmup_ms: Math.round(performance.now() - created),
    };
    return { worker, runtime, stages };
  } catch (error) {
    worker.end();
    throw error;
  }
}

interface Loaded {
  readonly runtime: Runtime;
  /** Until all weights had arrived; 0 where they are packed as they arrive. */
  readonly weightsMs: number;
}

async function load(
  worker: NetworkWorker,
  store: ObjectStore,
  manifest: ModelManifest,
  { runtime, threads }: OpenOptions,
): Promise<Loaded> {
  if (runtime !== "auto" && runtime !== "lean") {
    return await loadWhole(worker, store, manifest, { runtime, threads });
  }
  const { unsupported } = await loadLean(worker, store, manifest);
  if (unsupported === undefined) return { runtime: "lean", weightsMs: 0 };
  if (runtime === "auto") {
    return await loadWhole(worker, store, manifest, { runtime: "onnxruntime-web", threads });
  }
  const { name, version } = manifest;
  throw new RangeError(
    `Cannot serve ${name} ${version} on the lean engine: it does not have ${unsupported} ` +
      "(leave --runtime out)",
  );
}

/** The weights go to the worker as they arrive, and are verified on the way. */
async function loadLean(
  worker: NetworkWorker,
  store: ObjectStore,
  manifest: ModelManifest,
): Promise<RunResult> {
  const weights = await streamWeights(store, manifest);
  const { port1, port2 } = new MessageChannel();
  const done = new AbortController();
  void sendWeights(weights, port1, done.signal);
  try {
    const task = { kind: "stream", weights: port2, manifest: describe(manifest) } as const;
    return await worker.ask(task, LOAD_MS, [port2]);
  } finally {
    done.abort();
  }
}

/** From the file where the weights lie in one, verified by the worker; else from memory. */
async function loadWhole(
  worker: NetworkWorker,
  store: ObjectStore,
  manifest: ModelManifest,
  options: { readonly runtime: Runtime; readonly threads: number },
): Promise<Loaded> {
  const started = performance.now();
  const { key, sha256 } = manifest.weights;
  const path = await store.pathOf?.(key) ?? null;
  const weights = path === null ? await readWeights(store, manifest) : { path, sha256 };
  const weightsMs = performance.now() - started;
  const task = { kind: "load", weights, manifest: describe(manifest), ...options } as const;
  const moved = weights instanceof Uint8Array ? [weights.buffer] : [];
  const { runtime } = await worker.ask(task, LOAD_MS, moved);
  return { runtime, weightsMs };
}

/** A manifest without its labels, of which the worker has no use. */
function describe({ name, version, input, output }: ModelManifest) {
  return { name, version, input, output };
}

/** A network that cannot run shows it here, before any client meets it. */
async function warmUp(
  worker: NetworkWorker,
  { name, version, input, output }: ModelManifest,
): Promise<void> {
  const [, channels, height, width] = input.shape;
  const inputs = new Float32Array(channels * height * width);
  const { probabilities } = await worker.ask({ kind: "run", inputs, count: 1 }, LOAD_MS);
  if (probabilities.length === output.classes && probabilities.every(Number.isFinite)) return;
  throw new RangeError(
    `Cannot serve ${name} ${version}: a trial run gave ${probabilities.length} values, ` +
      `expected ${output.classes} finite ones (publish the model again)`,
  );
}
