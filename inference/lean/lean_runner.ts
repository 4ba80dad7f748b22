import { placeValues } from "./place_values.ts";
import type { LeanNetwork } from "./read_network.ts";
import { inTasks, perform, type Step, type Task } from "./step.ts";
import { Followers } from "./threads/followers.ts";
import type { Value } from "./value.ts";

/** A step ready to run, with its name for a profile. */
interface Bound {
  readonly label: string;
  readonly tasks: readonly Task[];
}

/** Tasks of a step for each thread, so that one that came late has fewer of them. */
const TASKS_PER_THREAD = 4;

/** Runs a network on batches of any size. Tables and activations are laid out anew for each size. */
export class LeanRunner {
  readonly #network: LeanNetwork;
  /** Threads that compute a run, if all of them can be started. */
  readonly #threads: number;
  readonly #taskNanoseconds: number;
  #followers: Followers | undefined;
  /** The heap's end behind the weights. */
  readonly #mark: number;
  #batch = 0;
  #bound: readonly Bound[] = [];
  #program = { tasks: [] as readonly Task[], ends: [] as readonly number[] };
  #inputAt = 0;
  #outputAt = 0;

  /**
   * @param taskNanoseconds the least work that is worth handing over, about ten times what two threads
   * take to meet; on one thread nothing is divided
   */
  constructor(network: LeanNetwork, taskNanoseconds = 10_000) {
    this.#network = network;
    this.#threads = network.threads;
    this.#taskNanoseconds = taskNanoseconds;
    if (network.threads > 1) this.#followers = new Followers(network.heap, network.module);
    this.#mark = network.heap.end;
  }

  /**
   * `images`: [batch, channels, height, width] → [batch, classes].
   *
   * @throws {Error} when another thread has failed; the next run is computed without it.
   */
  run(images: Float32Array, batch: number): Float32Array<ArrayBuffer> {
    this.#write(images, batch);
    this.#compute();
    const { heap, output } = this.#network;
    const results = new Float32Array(batch * output.channels);
    for (let image = 0; image < batch; image++) {
      const row = heap.floats(this.#outputAt + image * output.imageBytes, output.channels);
      results.set(row, image * output.channels);
    }
    return results;
  }

  /** Milliseconds of each step in one run, each on one thread. */
  profile(images: Float32Array, batch: number): { label: string; milliseconds: number }[] {
    this.#write(images, batch);
    return this.#bound.map(({ label, tasks }) => {
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
    return (this.#followers?.helped ?? 0) / this.#program.tasks.length;
  }

  /** Starts the other threads. Resolves to how many compute a run from now on. */
  async startThreads(): Promise<number> {
    return 1 + (await this.#followers?.start(this.#threads - 1) ?? 0);
  }

  /** Ends the other threads. */
  close(): void {
    this.#followers?.end();
  }

  #compute(): void {
    const { kernels } = this.#network;
    if (!this.#followers) return this.#program.tasks.forEach((task) => perform(kernels, task));
    try {
      this.#followers.run(kernels, this.#program);
    } catch (error) {
      // This run is lost; the next ones are computed on one thread.
      this.#followers.end();
      this.#followers = undefined;
      throw error;
    }
  }

  #write(images: Float32Array, batch: number): void {
    this.prepare(batch);
    this.#network.heap.floats(this.#inputAt, images.length).set(images);
  }

  /**
   * Lays out tables and activations, as the first run of a batch size does.
   *
   * @throws {UnsupportedError} where weights were packed for another layout of their input.
   */
  prepare(batch: number): void {
    if (batch === this.#batch) return;
    const { heap, kernels, steps, input, output } = this.#network;
    this.#followers?.withdraw();
    heap.release(this.#mark);
    const places = placeValues(steps, output, batch);
    const start = heap.take(places.byteLength);
    const at = (value: Value) => start + places.offsets.get(value.root)! + value.originBytes;
    const tasks = (nanoseconds: number) => this.#tasksOf(nanoseconds);
    const placed = { kernels, heap, batch, at, tasks };
    const begun = new Set<Value>([input]);
    this.#bound = steps.flatMap((step) => {
      const gaps = step.outputs.map(({ root }) => root)
        .filter((root) => !begun.has(root) && root.hasGaps);
      step.outputs.forEach(({ root }) => begun.add(root));
      const bound = { label: step.label, tasks: step.bind(placed) };
      return gaps.length === 0 ? [bound] : [fillGaps(step, gaps), bound];
    });
    this.#program = { tasks: this.#bound.flatMap(({ tasks }) => tasks), ends: this.#ends() };
    this.#followers?.publish(this.#program);
    this.#inputAt = at(input);
    this.#outputAt = at(output);
    this.#batch = batch;

    /** Borders and what rounds up channels are zeros; other tensors have lain there before. */
    function fillGaps({ label }: Step, roots: readonly Value[]): Bound {
      const calls = roots.map((root) => {
        const bytes = root.imageBytes * batch;
        const from = at(root) - root.originBytes;
        const parameters = [from, root.quantization?.zero ?? 0, bytes];
        return { kernel: "fill", parameters } as const;
      });
      return { label: `${label} (border)`, tasks: inTasks(calls, 1) };
    }
  }

  /** Each step is a phase: it reads what those before it wrote. */
  #ends(): number[] {
    let end = 0;
    return this.#bound.map(({ tasks }) => end += tasks.length);
  }

  /** As many tasks as the work is worth, shared out evenly. */
  #tasksOf(nanoseconds: number): number {
    const threads = this.#threads;
    const most = threads === 1 ? 1 : threads * TASKS_PER_THREAD;
    const worth = Math.max(1, Math.min(most, Math.floor(nanoseconds / this.#taskNanoseconds)));
    return worth < threads ? worth : worth - worth % threads;
  }
}
