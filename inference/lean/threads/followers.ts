import type { Heap } from "../heap.ts";
import type { Kernels } from "../kernels/load_kernels.ts";
import { perform, type Task } from "../step.ts";
import { Control, CONTROL_BYTES, MOST_TASKS, type ProgramPlace } from "./control.ts";
import type { FollowerStart } from "./follower_worker.ts";
import { encodeTasks } from "./program.ts";

/** Tasks of the whole network in the memory of all threads. */
export interface Program {
  readonly place: ProgramPlace;
  readonly tasks: readonly Task[];
  /** Where each phase of them ends. */
  readonly ends: readonly number[];
}

/**
 * Other threads that help the one that calls. They wait without a turn of their own between runs, so
 * `end()` ends them at once; whether they have joined or not, a run gives the same numbers.
 */
export class Followers {
  readonly #control: Control;
  readonly #controlAt: number;
  readonly #heap: Heap;
  readonly #module: WebAssembly.Module;
  #workers: Worker[] = [];
  #helped = 0;
  #version = 0;

  /** Takes space from the heap, for good. */
  constructor(heap: Heap, module: WebAssembly.Module) {
    this.#heap = heap;
    this.#module = module;
    this.#controlAt = heap.take(CONTROL_BYTES);
    heap.bytes(this.#controlAt, CONTROL_BYTES).fill(0);
    this.#control = new Control(heap.memory, this.#controlAt);
  }

  /** Starts threads. Resolves to how many could be started, when they have joined. */
  async start(count: number): Promise<number> {
    const joined = await Promise.all(Array.from({ length: count }, () => this.#startOne()));
    return joined.filter(Boolean).length;
  }

  /** Resolves to true when it has joined, to false when the host does not let it start. */
  async #startOne(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    try {
      const worker = new Worker(new URL("./follower_worker.ts", import.meta.url), {
        type: "module",
      });
      this.#workers.push(worker);
      worker.onmessage = () => resolve(true);
      worker.onerror = (event) => {
        event.preventDefault();
        resolve(false);
      };
      const [module, memory] = [this.#module, this.#heap.memory];
      worker.postMessage({ module, memory, controlAt: this.#controlAt } satisfies FollowerStart);
      return await promise;
    } catch {
      return false;
    }
  }

  /** Before the memory of programs is used for something else. */
  withdraw(): void {
    this.#control.withdraw();
  }

  /** Puts tasks where the threads can read them: space from the heap. */
  keep({ tasks, ends }: Omit<Program, "place">): Program {
    const numbers = encodeTasks(tasks);
    const at = this.#heap.take(numbers.byteLength);
    this.#heap.doubles(at, numbers.length).set(numbers);
    this.#version = this.#version % 0x7fffffff + 1;
    return { place: { version: this.#version, at, numbers: numbers.length }, tasks, ends };
  }

  /**
   * Does all tasks, those of a phase at the same time.
   *
   * @throws {Error} when another thread has failed: none of them is to be used any more.
   */
  run(kernels: Kernels, { place, tasks, ends }: Program): void {
    const control = this.#control;
    this.#helped += tasks.length;
    if (tasks.length > MOST_TASKS) return tasks.forEach((task) => this.#perform(kernels, task));
    control.begin(place);
    const { run } = control;
    let from = 0;
    for (const end of ends) {
      if (end === from + 1) {
        control.takeAlone();
        this.#perform(kernels, tasks[from]!);
      } else {
        control.open(end);
        for (let task = control.take(run); task >= 0; task = control.take(run)) {
          this.#perform(kernels, tasks[task]!);
        }
        control.finish(end);
      }
      from = end;
    }
    control.open(tasks.length);
  }

  #perform(kernels: Kernels, task: Task): void {
    perform(kernels, task);
    this.#control.done();
    this.#helped--;
  }

  /** Tasks that other threads have done. */
  get helped(): number {
    return this.#helped;
  }

  end(): void {
    for (const worker of this.#workers) worker.terminate();
    this.#workers = [];
  }
}
