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
  /** Longest run of one batch; the worker is ended after it. */
  readonly runMs: number;
}

/** One form of a model's weights, with the manifest that describes it. */
export type Form = Pick<ChosenVariant, "name" | "manifest">;

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
  readonly #open: () => Promise<OpenedWorker>;
  readonly #runMs: number;
  #worker: RunWorker | undefined;
  readonly #batcher: Batcher;
  #restarting: Promise<void> | undefined;
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
    this.#runMs = options.runMs;
    this.#batcher = new Batcher(options);
    this.#add(worker);
  }

  /** Throws as `openWorker`. */
  static async load(form: Form, options: RunOptions): Promise<ServedModel> {
    const first = await openWorker(form.manifest, options);
    // Which engine has the network's operators is known from here on.
    const open = () => openWorker(form.manifest, { ...options, runtime: first.runtime });
    return new ServedModel(form, first, open, options);
  }

  /** False once its worker has ended: nothing can be run, until another has started. */
  get alive(): boolean {
    return this.#worker !== undefined;
  }

  /** Images that are being worked on or wait. */
  get users(): number {
    return this.#users;
  }

  /** Probabilities of one input [channels, crop, crop]. */
  run(input: Float32Array, options?: InputOptions): Promise<BatchedRun> {
    return this.#batcher.add(input, options);
  }

  /** Starts a worker where the last one was ended. Throws as `openWorker`. */
  async restart(): Promise<void> {
    this.#restarting ??= (async () => {
      if (this.#retired || this.alive) return;
      const { worker } = await this.#open();
      this.#add(worker);
    })();
    try {
      await this.#restarting;
    } finally {
      this.#restarting = undefined;
    }
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

  #add(worker: RunWorker): void {
    if (this.#retired) return worker.end();
    this.#worker = worker;
    this.#batcher.addWorker(async (inputs, count) => {
      try {
        return await worker.ask({ kind: "run", inputs, count }, this.#runMs, [inputs.buffer]);
      } catch (error) {
        if (worker.ended) this.#replace();
        throw error;
      }
    }, () => worker.ended);
  }

  /** One that took too long was ended. Where no other can be started the host finds it out. */
  #replace(): void {
    this.#worker = undefined;
    this.restart().catch(() => {});
  }

  #endIfUnused(): void {
    if (this.#users > 0) return;
    this.#worker?.end();
    this.#worker = undefined;
  }
}
