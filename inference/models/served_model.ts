import type { ModelManifest } from "../../shared/manifest.ts";
import { Statistics } from "../telemetry/statistics.ts";
import {
  type BatchedRun,
  Batcher,
  type BatcherOptions,
  type InputOptions,
} from "../workers/batcher.ts";
import type { RunWorker } from "../workers/spare_worker.ts";
import type { ChosenVariant } from "./choose_variant.ts";
import { type LoadStages, type OpenedWorker, type OpenOptions, openWorker } from "./open_worker.ts";

/** How a model runs. */
export interface RunOptions extends BatcherOptions, OpenOptions {
  /** Workers on an engine without threads, each with the weights. */
  readonly workers: number;
  /** Longest run of one batch; the worker is ended after it. */
  readonly runMs: number;
}

/** One form of a model's weights, with the manifest that describes it. */
export type Form = Pick<ChosenVariant, "name" | "manifest">;

/**
 * One version of a model in workers of its own: ending them gives back all of their memory, which
 * WebAssembly never does by itself.
 */
export class ServedModel {
  /** With the weights and answers of the variant. */
  readonly manifest: ModelManifest;
  /** The form of the weights: "original", "int8" … */
  readonly variant: string;
  /** The engine that runs it. */
  readonly runtime: string;
  /** Of the first worker. */
  readonly stages: LoadStages;
  readonly statistics = new Statistics();
  readonly #open: () => Promise<OpenedWorker>;
  readonly #wanted: number;
  readonly #runMs: number;
  readonly #workers = new Set<RunWorker>();
  readonly #batcher: Batcher;
  #growing: Promise<void> | undefined;
  #users = 0;
  #retired = false;

  private constructor(
    { manifest, name }: Form,
    { worker, runtime, stages }: OpenedWorker,
    open: () => Promise<OpenedWorker>,
    options: RunOptions,
  ) {
    this.manifest = manifest;
    this.variant = name;
    this.runtime = runtime;
    this.stages = stages;
    this.#open = open;
    this.#wanted = runtime === "lean" ? options.workers : 1;
    this.#runMs = options.runMs;
    this.#batcher = new Batcher(options);
    this.#add(worker);
  }

  /** With one worker, so that it answers soon: `grow` starts the others. Throws as `openWorker`. */
  static async load(form: Form, options: RunOptions): Promise<ServedModel> {
    const first = await openWorker(form.manifest, options);
    // Which engine has the network's operators is known from here on.
    const open = () => openWorker(form.manifest, { ...options, runtime: first.runtime });
    return new ServedModel(form, first, open, options);
  }

  /** False once its workers have ended: nothing can be run any more. */
  get alive(): boolean {
    return this.#workers.size > 0;
  }

  /** Images that are being worked on or wait. */
  get users(): number {
    return this.#users;
  }

  /** Probabilities of one input [channels, crop, crop]. */
  run(input: Float32Array, options?: InputOptions): Promise<BatchedRun> {
    return this.#batcher.add(input, options);
  }

  /** Starts the workers that are missing. Throws as `openWorker`; those that run go on. */
  async grow(): Promise<void> {
    this.#growing ??= (async () => {
      while (!this.#retired && this.#workers.size < this.#wanted) {
        const { worker } = await this.#open();
        this.#add(worker);
      }
    })();
    try {
      await this.#growing;
    } finally {
      this.#growing = undefined;
    }
  }

  /** Keeps the workers until `use` has ended, also when the model is retired meanwhile. */
  async using<Result>(use: () => Promise<Result>): Promise<Result> {
    this.#users++;
    try {
      return await use();
    } finally {
      this.#users--;
      if (this.#retired) this.#endIfUnused();
    }
  }

  /** Ends the workers when the last user is done. */
  retire(): void {
    this.#retired = true;
    this.#endIfUnused();
  }

  #add(worker: RunWorker): void {
    if (this.#retired) return worker.end();
    this.#workers.add(worker);
    this.#batcher.addWorker(async (inputs, count) => {
      try {
        return await worker.ask({ kind: "run", inputs, count }, this.#runMs, [inputs.buffer]);
      } catch (error) {
        if (worker.ended) this.#replace(worker);
        throw error;
      }
    }, () => worker.ended);
  }

  /** One that took too long was ended. Where no other can be started the host finds it out. */
  #replace(worker: RunWorker): void {
    this.#workers.delete(worker);
    this.grow().catch(() => {});
  }

  #endIfUnused(): void {
    if (this.#users > 0) return;
    for (const worker of this.#workers) worker.end();
    this.#workers.clear();
  }
}
