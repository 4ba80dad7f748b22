/** Runs a problem's candidates on the GPU over one set of numbers: checks each, then times it. */
import { readBytes, storageBuffer } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/device.ts";
import { PipelineCache } from "../gpu/pipelines.ts";
import { bytesOf, fromStored, type Precision, toStored } from "../gpu/precision.ts";
import { type PreparedDispatch, prepareDispatches } from "../gpu/prepare.ts";
import { timeDispatches } from "../gpu/profiler.ts";
import { floatsOf, type OpDispatch, type Shape, type TensorRef } from "../ops/op.ts";
import { Random } from "../random.ts";
import { errorBound, relativeError } from "./error_bound.ts";
import { type TuningProblem, workWith } from "./problems.ts";

/** A candidate that gave the right numbers. */
export interface CheckedTile {
  readonly tile: string;
  /** Milliseconds of the run that was checked. */
  readonly first: number;
  readonly dispatches: readonly PreparedDispatch[];
}

export interface RefusedTile {
  readonly tile: string;
  /** Why it may not be used. */
  readonly reason: string;
}

/** As many distinct numbers as keep any two tensors from being alike; a prime, out of step. */
const DISTINCT = 65_521;

export class TileBench {
  readonly #gpu: Gpu;
  readonly #problem: TuningProblem;
  readonly #pipelines: PipelineCache;
  readonly #buffers = new Map<string, GPUBuffer>();
  /** What is written, and how it is stored. */
  readonly #results = new Map<GPUBuffer, Precision>();
  #expected: Float32Array[] | null = null;
  #terms = 0;

  constructor(gpu: Gpu, problem: TuningProblem) {
    this.#gpu = gpu;
    this.#problem = problem;
    this.#pipelines = new PipelineCache(gpu.device);
  }

  /**
   * Compiles a candidate, runs it once and compares it with the one that was checked first: the
   * default, which the tests prove.
   */
  async check(tile: string): Promise<CheckedTile | RefusedTile> {
    const { device } = this.#gpu;
    const work = workWith(this.#problem, tile);
    let dispatches: PreparedDispatch[];
    // A scope of its own: a candidate that is refused must not end the work on the others.
    device.pushErrorScope("validation");
    try {
      dispatches = await this.#prepare(work);
      // The first run does not count: Mesa compiles then, which took up to seconds.
      await timeDispatches(device, dispatches);
    } catch (error) {
      await device.popErrorScope();
      return { tile, reason: (error as Error).message };
    }
    const invalid = await device.popErrorScope();
    if (invalid) return { tile, reason: invalid.message };
    this.#clearResults();
    const first = sumOf(await timeDispatches(device, dispatches));
    const results: Float32Array[] = [];
    for (const [buffer, precision] of this.#results) {
      results.push(fromStored(await readBytes(device, buffer), precision));
    }
    this.#gpu.check();
    if (!this.#expected) {
      this.#expected = results;
      this.#terms = termsOf(work.dispatches, results);
    }
    const error = Math.max(...results.map((own, i) => relativeError(own, this.#expected![i]!)));
    const inHalf = [...this.#results.values()].includes("f16");
    const bound = errorBound(this.#terms, inHalf ? "f16" : "f32");
    return error <= bound
      ? { tile, first, dispatches }
      : { tile, reason: `off by ${error.toExponential(1)} (allowed ${bound.toExponential(1)})` };
  }

  #prepare(work: ReturnType<typeof workWith>): Promise<PreparedDispatch[]> {
    this.#makeRoom(work);
    const bufferOf = (ref: TensorRef) => this.#buffers.get(nameOf(ref))!;
    return prepareDispatches(this.#gpu.device, this.#pipelines, work.dispatches, bufferOf);
  }

  /** One run of each in turn, in one submit, so that a slow moment of the machine meets all. */
  async time(tiles: readonly CheckedTile[]): Promise<number[]> {
    const times = await timeDispatches(
      this.#gpu.device,
      tiles.flatMap(({ dispatches }) => dispatches),
    );
    let done = 0;
    return tiles.map(({ dispatches: { length } }) => sumOf(times.slice(done, done += length)));
  }

  close(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
    this.#pipelines.images.close();
  }

  /** Operands hold numbers, with zeros for padding; results are cleared before each check. */
  #makeRoom(work: ReturnType<typeof workWith>): void {
    for (const { kernel, bindings } of work.dispatches) {
      bindings.forEach(({ buffer: ref }, index) => {
        const written = kernel.code.includes(`@binding(${index}) var<storage, read_write>`);
        const { role } = ref;
        const precision = this.#precision(ref);
        const bytes = role === "scratch"
          ? work.scratchBytes[ref.index]!
          : bytesOf(precision) * this.#floats(ref);
        const name = nameOf(ref);
        const old = this.#buffers.get(name);
        if (old && old.size >= bytes) return;
        old?.destroy();
        const buffer = storageBuffer(this.#gpu.device, bytes, name);
        this.#buffers.set(name, buffer);
        if (role === "scratch") return;
        if (written) this.#results.set(buffer, precision);
        else {
          const numbers = toStored(this.#numbers(ref), precision);
          this.#gpu.device.queue.writeBuffer(buffer, 0, numbers);
        }
      });
    }
  }

  #clearResults(): void {
    const encoder = this.#gpu.device.createCommandEncoder();
    for (const buffer of this.#results.keys()) encoder.clearBuffer(buffer);
    this.#gpu.device.queue.submit([encoder.finish()]);
  }

  #precision({ role }: TensorRef): Precision {
    const { precision = "f32" } = this.#problem.context.target;
    return role === "gradParameter" ? "f32" : precision;
  }

  #floats({ role, index }: TensorRef): number {
    const shape = this.#shape({ role, index });
    if (shape) return this.#problem.context.batch * floatsOf(shape);
    return this.#problem.node.parameters[index]!.floats;
  }

  #shape({ role, index }: TensorRef): Shape | null {
    const { inputs, outputs } = this.#problem.context;
    if (role === "input" || role === "gradInput") return inputs[index]!;
    if (role === "output" || role === "gradOutput") return outputs[index]!;
    if (role === "parameter" || role === "gradParameter") return null;
    throw new RangeError(`Cannot tune ${this.#problem.key}: it binds ${role}`);
  }

  #numbers(ref: TensorRef): Float32Array<ArrayBuffer> {
    const random = new Random(1, ref.index);
    const table = Float32Array.from({ length: DISTINCT }, () => random.normal());
    const shape = this.#shape(ref);
    if (!shape) {
      const spec = this.#problem.node.parameters[ref.index]!;
      const count = spec.shape.reduce((product, size) => product * size, 1);
      return spec.pack(Float32Array.from({ length: count }, (_, i) => table[i % DISTINCT]!));
    }
    const values = new Float32Array(this.#floats(ref));
    for (let i = 0; i < values.length; i++) {
      if (i % shape.stride < shape.channels) values[i] = table[i % DISTINCT]!;
    }
    return values;
  }
}

function nameOf({ role, index }: TensorRef): string {
  return `${role} ${index}`;
}

function sumOf(times: readonly { readonly milliseconds: number }[]): number {
  return times.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
}

/** Products that one result is the sum of. */
function termsOf(dispatches: readonly OpDispatch[], results: readonly Float32Array[]): number {
  const products = dispatches.reduce((sum, { problem }) => sum + problem!.multiplyAdds, 0);
  return products / results.reduce((sum, { length }) => sum + length, 0);
}
