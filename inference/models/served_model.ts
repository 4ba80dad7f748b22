import type { ModelManifest } from "../../shared/manifest.ts";
import { readWeights, streamWeights } from "../../shared/model_registry.ts";
import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import { Statistics } from "../telemetry/statistics.ts";
import {
  type BatchedRun,
  Batcher,
  type BatcherOptions,
  type InputOptions,
} from "../workers/batcher.ts";
import type { RunResult, RunTask } from "../workers/run_worker.ts";
import type { Runtime } from "../workers/runtimes.ts";
import type { ChosenVariant } from "./choose_variant.ts";
import { TaskWorker } from "../workers/task_worker.ts";

/** How a model runs. */
export interface RunOptions extends BatcherOptions {
  /** The engine; `auto` is the lean one for a network whose operators it has. */
  readonly runtime: Runtime | "auto";
  readonly threads: number;
  /** Longest run of one batch; the worker is ended after it. */
  readonly runMs: number;
}

/** One form of a model's weights, with the manifest that describes it. */
export type Form = Pick<ChosenVariant, "name" | "manifest">;

/** Milliseconds of each part of a cold start. */
export type LoadStages = Record<"weights_ms" | "session_ms" | "warmup_ms", number>;

/** AlexNet's 244 MB take a second or two to load; whoever waits longer waits in vain. */
const LOAD_MS = 120_000;

/**
 * One version of a model in a worker of its own: ending it gives back all of its memory, which
 * WebAssembly never does by itself.
 */
export class ServedModel {
  /** With the weights and answers of the variant. */
  readonly manifest: ModelManifest;
  /** The form of the weights: "original", "int8" … */
  readonly variant: string;
  /** The engine that runs it. */
  readonly runtime: string;
  readonly stages: LoadStages;
  readonly statistics = new Statistics();
  readonly #worker: TaskWorker<RunTask, RunResult>;
  readonly #batcher: Batcher;
  #users = 0;
  #retired = false;

  private constructor(
    { manifest, name }: Form,
    worker: TaskWorker<RunTask, RunResult>,
    { stages, runtime }: Pick<ServedModel, "stages" | "runtime">,
    { runMs, ...batching }: RunOptions,
  ) {
    this.manifest = manifest;
    this.variant = name;
    this.runtime = runtime;
    this.stages = stages;
    this.#worker = worker;
    this.#batcher = new Batcher(
      (inputs, count) => worker.ask({ kind: "run", inputs, count }, runMs, [inputs.buffer]),
      batching,
    );
  }

  /**
   * Verified weights → session in a worker → one run, which takes half as long again as the later
   * ones (SqueezeNet 1.0: 130 instead of 80 ms, 2026-11).
   *
   * @throws {RangeError} when the network is not what the manifest says.
   * @throws {SyntaxError} when the weights cannot be parsed.
   * @throws {Error} when the weights are missing or were changed after publishing.
   */
  static async load(
    store: ObjectStore,
    form: Form,
    options: RunOptions,
  ): Promise<ServedModel> {
    const { manifest } = form;
    const worker = new TaskWorker<RunTask, RunResult>(
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
      return new ServedModel(form, worker, { stages, runtime }, options);
    } catch (error) {
      worker.end();
      throw error;
    }
  }

  /** False once its worker has ended: nothing can be run any more. */
  get alive(): boolean {
    return !this.#worker.ended;
  }

  /** Images that are being worked on or wait. */
  get users(): number {
    return this.#users;
  }

  /** Probabilities of one input [channels, crop, crop]. */
  run(input: Float32Array, options?: InputOptions): Promise<BatchedRun> {
    return this.#batcher.add(input, options);
  }

  /** Keeps the worker until `use` has ended, also when the model is retired meanwhile. */
  async using<Result>(use: () => Promise<Result>): Promise<Result> {
    this.#users++;
    try {
      return await use();
    } finally {
      this.#users--;
      if (this.#retired) this.#endIfUnused();
    }
  }

  /** Ends the worker when the last user is done. */
  retire(): void {
    this.#retired = true;
    this.#endIfUnused();
  }

  #endIfUnused(): void {
    if (this.#users === 0) this.#worker.end();
  }
}

interface Loaded {
  readonly runtime: string;
  /** Until all weights had arrived; 0 where they are packed as they arrive. */
  readonly weightsMs: number;
}

type NetworkWorker = TaskWorker<RunTask, RunResult>;

async function load(
  worker: NetworkWorker,
  store: ObjectStore,
  manifest: ModelManifest,
  { runtime, threads }: Pick<RunOptions, "runtime" | "threads">,
): Promise<Loaded> {
  if (runtime === "onnxruntime-web") return await loadWhole(worker, store, manifest, threads);
  const { unsupported } = await loadLean(worker, store, manifest);
  if (unsupported === undefined) return { runtime: "lean", weightsMs: 0 };
  if (runtime === "auto") return await loadWhole(worker, store, manifest, threads);
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
  const task = { kind: "stream", weights, manifest: describe(manifest) } as const;
  return await worker.ask(task, LOAD_MS, [weights]);
}

async function loadWhole(
  worker: NetworkWorker,
  store: ObjectStore,
  manifest: ModelManifest,
  threads: number,
): Promise<Loaded> {
  const started = performance.now();
  const weights = await readWeights(store, manifest);
  const weightsMs = performance.now() - started;
  const task = { kind: "load", weights, manifest: describe(manifest), threads } as const;
  const { runtime } = await worker.ask(task, LOAD_MS, [weights.buffer]);
  return { runtime, weightsMs };
}

/** A manifest without its labels, of which the worker has no use. */
function describe({ name, version, input, output }: ModelManifest) {
  return { name, version, input, output };
}

/** A network that cannot run shows it here, before any client meets it. */
async function warmUp(
  worker: TaskWorker<RunTask, RunResult>,
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
