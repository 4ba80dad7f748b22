import { type Layout, layOut } from "./lay_out.ts";
import { placeValues } from "./place_values.ts";
import type { LeanNetwork } from "./read_network.ts";
import { imagesAtOnce, type Section, sectionsOf } from "./sections.ts";
import { perform } from "./step.ts";
import { Followers, type Program } from "./threads/followers.ts";

/** The layout of a section for one number of images. */
interface Prepared extends Layout {
  /** The same for other threads. */
  readonly program: Program | undefined;
}

/** What was measured to be best on the machines here; tests ask for other divisions. */
export interface RunnerOptions {
  /** The least work that is worth handing over: about ten times what two threads take to meet. */
  readonly taskNanoseconds?: number | undefined;
  /** Of the activations that are computed at once: a part of a processor's last cache. */
  readonly cacheBytes?: number | undefined;
}

/** Tasks of a step for each thread, so that one that came late has fewer of them. */
const TASKS_PER_THREAD = 4;

/**
 * Runs a network on batches of any size: maps of a few images after the others, then vectors of all.
 * Each size is laid out once, with tables of its own; all share the activations' memory, and are laid
 * out anew when a larger batch needs more of it.
 */
export class LeanRunner {
  readonly #network: LeanNetwork;
  readonly #maps: Section;
  readonly #vectors: Section | undefined;
  /** Images whose maps are computed at once. */
  readonly #images: number;
  /** Threads that compute a run, if all of them can be started. */
  readonly #threads: number;
  readonly #taskNanoseconds: number;
  #followers: Followers | undefined;
  /** The heap's end behind the weights: here the activations begin. */
  readonly #start: number;
  /** Bytes of each section's activations, and its layouts by the number of images. */
  readonly #rooms = new Map<Section, number>();
  readonly #layouts = new Map<Section, Map<number, Prepared>>();

  constructor(
    network: LeanNetwork,
    { taskNanoseconds = 10_000, cacheBytes = 10e6 }: RunnerOptions = {},
  ) {
    this.#network = network;
    [this.#maps, this.#vectors] = sectionsOf(network);
    this.#images = imagesAtOnce(this.#maps, cacheBytes);
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
    return this.#runWith(images, batch, (layout) => this.#compute(layout));
  }

  /** Milliseconds of each step in one run, each on one thread. */
  profile(images: Float32Array, batch: number): { label: string; milliseconds: number }[] {
    const times = new Map<string, number>();
    this.#runWith(images, batch, ({ bound }) => {
      for (const { label, tasks } of bound) {
        const started = performance.now();
        for (const task of tasks) perform(this.#network.kernels, task);
        times.set(label, (times.get(label) ?? 0) + performance.now() - started);
      }
    });
    return [...times].map(([label, milliseconds]) => ({ label, milliseconds }));
  }

  /** Bytes of WebAssembly memory. */
  get byteLength(): number {
    return this.#network.heap.byteLength;
  }

  /** Tasks that other threads have done since the start. */
  get helped(): number {
    return this.#followers?.helped ?? 0;
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
  prepare(batch: number): void {
    const needed: [Section, number][] = [[this.#maps, Math.min(batch, this.#images)]];
    if (batch > this.#images && batch % this.#images > 0) {
      needed.push([this.#maps, batch % this.#images]);
    }
    if (this.#vectors) needed.push([this.#vectors, batch]);
    if (needed.every(([section, images]) => this.#layouts.get(section)?.has(images))) return;
    this.#makeRoom(needed);
    for (const [section, images] of needed) this.#layOut(section, images);
  }

  /** Gives all sections' activations as much memory as they need, whatever is laid out meanwhile. */
  #makeRoom(needed: readonly [Section, number][]): void {
    const room = (section: Section) => this.#rooms.get(section) ?? 0;
    const larger = needed
      .map(([section, images]) => [section, placeValues(section, images).byteLength] as const)
      .filter(([section, bytes]) => bytes > room(section));
    if (larger.length === 0) return;
    for (const [section, bytes] of larger) this.#rooms.set(section, Math.max(bytes, room(section)));
    this.#layouts.clear();
    this.#followers?.withdraw();
    const { heap } = this.#network;
    heap.release(this.#start);
    for (const bytes of this.#rooms.values()) heap.take(bytes);
  }

  #layOut(section: Section, images: number): void {
    const layouts = this.#layouts.get(section) ?? new Map<number, Prepared>();
    this.#layouts.set(section, layouts);
    if (layouts.has(images)) return;
    const { heap, kernels } = this.#network;
    const tasks = (nanoseconds: number) => this.#tasksOf(nanoseconds);
    const means = { heap, kernels, batch: images, tasks };
    const start = this.#start + (section === this.#maps ? 0 : this.#rooms.get(this.#maps)!);
    const layout = layOut(section, means, start, placeValues(section, images));
    layouts.set(images, { ...layout, program: this.#followers?.keep(layout) });
  }

  #runWith(
    images: Float32Array,
    batch: number,
    compute: (layout: Prepared) => void,
  ): Float32Array<ArrayBuffer> {
    this.prepare(batch);
    const { heap, input, output } = this.#network;
    const [maps, vectors] = [this.#maps, this.#vectors];
    const results = new Float32Array(batch * output.channels);
    const behind = vectors && this.#layouts.get(vectors)!.get(batch)!;
    for (let from = 0; from < batch; from += this.#images) {
      const count = Math.min(this.#images, batch - from);
      const layout = this.#layouts.get(maps)!.get(count)!;
      const values = images.subarray(from * input.channels, (from + count) * input.channels);
      heap.floats(layout.inputAt, values.length).set(values);
      compute(layout);
      if (behind) this.#pass(layout.outputAt, behind.inputAt, from, count);
      else this.#read(layout.outputAt, count, results.subarray(from * output.channels));
    }
    if (behind) {
      compute(behind);
      this.#read(behind.outputAt, batch, results);
    }
    return results;
  }

  /** Copies what the maps gave to where the vectors are read, behind those of `from` images. */
  #pass(outputAt: number, inputAt: number, from: number, count: number): void {
    const { output: { imageBytes, originBytes } } = this.#maps;
    const source = this.#network.heap.bytes(outputAt - originBytes, count * imageBytes);
    const to = inputAt - originBytes + from * imageBytes;
    this.#network.heap.bytes(to, source.length).set(source);
  }

  #read(outputAt: number, count: number, results: Float32Array): void {
    const { heap, output: { channels, imageBytes } } = this.#network;
    for (let image = 0; image < count; image++) {
      results.set(heap.floats(outputAt + image * imageBytes, channels), image * channels);
    }
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
