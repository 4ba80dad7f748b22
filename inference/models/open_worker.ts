import type { ModelManifest } from "../../shared/manifest.ts";
import type { Runtime } from "../workers/runtimes.ts";
import { type RunWorker, takeRunWorker } from "../workers/spare_worker.ts";
import type { WeightsSource } from "./weights_source.ts";

/** Milliseconds of each part of a cold start; the session's with its weights. */
export type LoadStages = Record<"session_ms" | "warmup_ms", number>;

export interface OpenOptions {
  readonly source: WeightsSource;
  /** The engine; `auto` is the lean one for a network whose operators it has. */
  readonly runtime: Runtime | "auto";
  /** Of one run, where the engine has threads. */
  readonly threads: number;
}

export interface OpenedWorker {
  readonly worker: RunWorker;
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
  manifest: ModelManifest,
  { source, runtime: wanted, threads }: OpenOptions,
): Promise<OpenedWorker> {
  const worker = takeRunWorker();
  try {
    const started = performance.now();
    const { name, version, input, output, weights } = manifest;
    // Without its labels, of which the worker has no use.
    const described = { name, version, input, output, weights };
    const { runtime } = await worker.ask(
      { kind: "open", source, manifest: described, runtime: wanted, threads },
      LOAD_MS,
    );
    const opened = performance.now();
    await warmUp(worker, manifest);
    const stages = {
      session_ms: Math.round(opened - started),
      warmup_ms: Math.round(performance.now() - opened),
    };
    return { worker, runtime, stages };
  } catch (error) {
    worker.end();
    throw error;
  }
}

/** A network that cannot run shows it here, before any client meets it. */
async function warmUp(
  worker: RunWorker,
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
