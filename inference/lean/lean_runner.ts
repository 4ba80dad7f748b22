import { type Layout, layOut } from "./lay_out.ts";
import { placeValues } from "./place_values.ts";
import type { LeanNetwork } from "./read_network.ts";
import { perform } from "./step.ts";
import { Followers, type Program } from "./threads/followers.ts";

/** The layout of a batch size. */
interface Prepared extends Layout {
  /** The same for other threads. */
  readonly program: Program | undefined;
}

/** Tasks of a step for each thread, so that one that came late has fewer of them. */
const TASKS_PER_THREAD = 4;

/**
 * Runs a network on batches of any size. Each size is laid out once, with tables of its own; all share
 * the activations' memory, and are laid out anew when a larger batch needs more of it.
 */
export class LeanRunner {
  readonly #network: LeanNetwork;
  /** Threads that compute a run, if all of them can be started. */
  readonly #threads: number;
  readonly #taskNanoseconds: number;
  #followers: Followers | undefined;
  /** The heap's end behind the weights: here the activations begin. */
  readonly #start: number;
  /** Bytes of activations. */
  #room = 0;
  readonly #layouts = new Map<number, Prepared>();
  /** Of the last run. */
  #tasks = 0;

  /**
   * @param taskNanoseconds the least work that is worth handing over, about ten times what two threads
   * take to meet; on one thread nothing is divided
   */
  constructor(network: LeanNetwork, taskNanoseconds = 10_000) {
    this.#network = network;
    this.#threads = network.threads;
    this.#taskNanoseconds = taskNanoseconds;
    if (network.threads > 1) this.#followers = new Followers(network.heap, network.module);
    this.#start = network.heap.end;
  }

  /**
   * `images`: [batch, channels, height, width] → [batch, classes].
   *
   * @throws {Error} when another thread has failed; the next run is computed without it.
   */
  run(images: Float32Array, batch: number): Float32Array<ArrayBuffer> {
    const layout = this.#write(images, batch);
    this.#compute(layout);
    const { heap, output } = this.#network;
    const results = new Float32Array(batch * output.channels);
    for (let image = 0; image < batch; image++) {
      const row = heap.floats(layout.outputAt + image * output.imageBytes, output.channels);
      results.set(row, image * output.channels);
    }
    return results;
  }

  /** Milliseconds of each step in one run, each on one thread. */
  profile(images: Float32Array, batch: number): { label: string; milliseconds: number }[] {
    const { bound } = this.#write(images, batch);
    return bound.map(({ label, tasks }) => {
      const started = performance.now();
      for (const task of tasks) perform(this.#network.kernels, task);
      return { label, milliseconds: performance.now() - started };
    });
  }

  /** Bytes of WebAssembly memory. */
  get byteLength(): number {
    return this.#network.heap.byteLength;
  }

  /** The share of the last run's tasks that other threads did. */
  get helped(): number {
    return (this.#followers?.helped ?? 0) / this.#tasks;
  }

  /** Starts the other threads. Resolves to how many compute a run from now on. */
  async startThreads(): Promise<number> {
    return 1 + (await this.#followers?.start(this.#threads - 1) ?? 0);
  }

  /** Ends the other threads. */
  close(): void {
    this.#followers?.end();
  }

  /**
   * Lays out tables and activations, as the first run of a batch size does.
   *
   * @throws {UnsupportedError} where weights were packed for another layout of their input.
   */
  prepare(batch: number): Prepared {
    const known = this.#layouts.get(batch);
    if (known) return known;
    const { heap, steps, output } = this.#network;
    const places = placeValues(steps, output, batch);
    if (places.byteLength > this.#room) {
      this.#layouts.clear();
      this.#followers?.withdraw();
      heap.release(this.#start);
      heap.take(places.byteLength);
      this.#room = places.byteLength;
    }
    const tasks = (nanoseconds: number) => this.#tasksOf(nanoseconds);
    const bare = layOut(this.#network, { batch, tasks }, this.#start, places);
    const layout = { ...bare, program: this.#followers?.keep(bare) };
    this.#layouts.set(batch, layout);
    return layout;
  }

  #write(images: Float32Array, batch: number): Prepared {
    const layout = this.prepare(batch);
    this.#network.heap.floats(layout.inputAt, images.length).set(images);
    this.#tasks = layout.tasks.length;
    return layout;
  }

  #compute({ tasks, program }: Prepared): void {
    const { kernels } = this.#network;
    if (!this.#followers || !program) return tasks.forEach((task) => perform(kernels, task));
    try {
      this.#followers.run(kernels, program);
    } catch (error) {
      // This run is lost; the next ones are computed on one thread.
      this.#followers.end();
      this.#followers = undefined;
      throw error;
    }
  }

  /** As many tasks as the work is worth, shared out evenly. */
  #tasksOf(nanoseconds: number): number {
    const threads = this.#threads;
    const most = threads === 1 ? 1 : threads * TASKS_PER_THREAD;
    const worth = Math.max(1, Math.min(most, Math.floor(nanoseconds / this.#taskNanoseconds)));
    return worth < threads ? worth : worth - worth % threads;
  }
}
