/** One layer on the GPU with its buffers, ready to be run and looked into, direction by direction. */
import { readFloats, storageBuffer } from "../../../training/gpu/buffers.ts";
import type { Gpu } from "../../../training/gpu/device.ts";
import type { Dispatch } from "../../../training/gpu/kernel.ts";
import { PipelineCache } from "../../../training/gpu/pipelines.ts";
import { encodeDispatches } from "../../../training/gpu/encode.ts";
import { type PreparedDispatch, prepareDispatches } from "../../../training/gpu/prepare.ts";
import type { TileTable } from "../../../training/kernels/tile.ts";
import {
  floatsOf,
  type OpContext,
  type OpDispatch,
  type OpTarget,
  type OpWork,
  type TensorRef,
} from "../../../training/ops/op.ts";
import { encodeStep } from "../../../training/ops/step.ts";
import type { Layer } from "./layers.ts";
import { fillWithNoise, noiseArray } from "./noise.ts";

export const DIRECTIONS = ["forward", "grad-input", "grad-weight"] as const;
/** "grad-weight" is the gradient of the weights and of the bias. */
export type Direction = typeof DIRECTIONS[number];

export const SEEDS = { input: 1, gradOutput: 2, weight: 3, bias: 4 } as const;

export class LayerRun {
  readonly layer: Layer;
  /** Images at a time. */
  readonly batch: number;
  readonly #gpu: Gpu;
  readonly #buffers = new Map<string, GPUBuffer>();
  readonly #directions = new Map<Direction, PreparedDispatch[]>();

  /**
   * Allocates, fills with noise and compiles.
   *
   * @param tiles measured ones; the cost models choose the others
   * @throws {Error} where the device refuses any of it.
   */
  static async create(
    gpu: Gpu,
    layer: Layer,
    batch: number,
    tiles: TileTable,
  ): Promise<LayerRun> {
    const run = new LayerRun(gpu, layer, batch);
    try {
      await run.#prepare(tiles);
      return run;
    } catch (error) {
      run.close();
      throw error;
    }
  }

  private constructor(gpu: Gpu, layer: Layer, batch: number) {
    this.#gpu = gpu;
    this.layer = layer;
    this.batch = batch;
  }

  dispatches(direction: Direction): readonly PreparedDispatch[] {
    return this.#directions.get(direction)!;
  }

  /** Numbers of `output`, `gradInput`, at their places in memory. */
  async readPlaces(role: "output" | "gradInput", places: readonly number[]): Promise<number[]> {
    const { device } = this.#gpu;
    const staging = device.createBuffer({
      size: places.length * 4,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    });
    const encoder = device.createCommandEncoder();
    const buffer = this.#buffers.get(`${role} 0`)!;
    places.forEach((place, i) => encoder.copyBufferToBuffer(buffer, place * 4, staging, i * 4, 4));
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const numbers = [...new Float32Array(staging.getMappedRange())];
    staging.destroy();
    return numbers;
  }

  /** The gradient of the weights (0) or the bias (1), in ONNX's layout. */
  async readGradient(parameter: 0 | 1): Promise<Float32Array> {
    const spec = this.layer.op.parameters([this.layer.input])[parameter]!;
    const buffer = this.#buffers.get(`gradParameter ${parameter}`)!;
    return spec.unpack(await readFloats(this.#gpu.device, buffer));
  }

  close(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
  }

  async #prepare(tiles: TileTable): Promise<void> {
    const { device, maxWorkgroups } = this.#gpu;
    const { layer: { op, input, output }, batch } = this;
    const work = workOf({ ...this.#gpu, tiles }, this.layer, batch);
    device.pushErrorScope("out-of-memory");
    device.pushErrorScope("validation");
    for (const [key, bytes] of bytesOf(this.layer, batch, work)) {
      this.#buffers.set(key, storageBuffer(device, bytes, key));
    }
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    const step = encodeStep({ learningRate: 0, seed: 0, step: 0, part: 0, images: batch });
    this.#buffers.set("step 0", device.createBuffer({ size: step.byteLength, usage }));
    device.queue.writeBuffer(this.#buffers.get("step 0")!, 0, step);
    op.parameters([input]).forEach((spec, i) => {
      const length = spec.shape.reduce((product, size) => product * size, 1);
      const values = spec.pack(noiseArray(length, i === 0 ? SEEDS.weight : SEEDS.bias));
      device.queue.writeBuffer(this.#buffers.get(`parameter ${i}`)!, 0, values);
    });
    const { input: seed, gradOutput } = SEEDS;
    const common = { batch, maxWorkgroups };
    const filling = await this.#compile([
      fillWithNoise({ role: "input", index: 0 }, input, { ...common, seed }),
      fillWithNoise({ role: "gradOutput", index: 0 }, output, { ...common, seed: gradOutput }),
    ]);
    for (const direction of DIRECTIONS) {
      this.#directions.set(direction, await this.#compile(work[direction]));
    }
    submit(device, filling, 1);
    const refused = await device.popErrorScope() ?? await device.popErrorScope();
    if (refused) throw new Error(`Cannot run ${this.layer.name}: ${refused.message}`);
    this.#gpu.check();
  }

  #compile(dispatches: readonly Dispatch<TensorRef>[]): Promise<PreparedDispatch[]> {
    const { device } = this.#gpu;
    const bufferOf = ({ role, index }: TensorRef) => this.#buffers.get(`${role} ${index}`)!;
    return prepareDispatches(device, new PipelineCache(device), dispatches, bufferOf);
  }
}

/** Encodes the list `repeats` times and submits it. */
export function submit(
  device: GPUDevice,
  dispatches: readonly PreparedDispatch[],
  repeats: number,
  timestampWrites?: Required<GPUComputePassTimestampWrites>,
): void {
  const encoder = device.createCommandEncoder();
  const list = Array.from({ length: repeats }, () => dispatches).flat();
  encodeDispatches(encoder, list, timestampWrites);
  device.queue.submit([encoder.finish()]);
}

type Work = Record<Direction, OpDispatch[]> & { scratch: number[]; saved: number[] };

function workOf(target: OpTarget, { op, input, output }: Layer, batch: number): Work {
  const context = (needsGradInput: boolean): OpContext => ({
    target,
    batch,
    inputs: [input],
    outputs: [output],
    training: true,
    fusedRelu: false,
    needsGradInput: [needsGradInput],
    accumulate: false,
    lossBatch: batch,
    stream: 0,
  });
  const forward = op.forward(context(true));
  const backward = op.backward(context(true));
  const weights = op.backward(context(false)).dispatches;
  const known = new Set(weights.map((dispatch) => JSON.stringify(dispatch)));
  return {
    forward: forward.dispatches,
    "grad-weight": weights,
    "grad-input": backward.dispatches.filter((each) => !known.has(JSON.stringify(each))),
    scratch: largest(forward, backward, "scratchBytes"),
    saved: [...forward.savedBytes ?? []],
  };
}

function largest(a: OpWork, b: OpWork, key: "scratchBytes"): number[] {
  const length = Math.max(a[key]?.length ?? 0, b[key]?.length ?? 0);
  return Array.from({ length }, (_, i) => Math.max(a[key]?.[i] ?? 0, b[key]?.[i] ?? 0));
}

function bytesOf({ op, input, output }: Layer, batch: number, work: Work): Map<string, number> {
  const images = (shape: Layer["input"]) => batch * floatsOf(shape) * 4;
  return new Map([
    ["input 0", images(input)],
    ["output 0", images(output)],
    ["gradInput 0", images(input)],
    ["gradOutput 0", images(output)],
    ...op.parameters([input]).flatMap(({ floats }, i): [string, number][] => [
      [`parameter ${i}`, floats * 4],
      [`gradParameter ${i}`, floats * 4],
    ]),
    ...work.scratch.map((bytes, i): [string, number] => [`scratch ${i}`, bytes]),
    ...work.saved.map((bytes, i): [string, number] => [`saved ${i}`, bytes]),
  ]);
}
