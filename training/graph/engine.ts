/**
 * Runs a graph on a device: owns the buffers, compiles the kernels once, and encodes a step as one
 * list of dispatches. Nothing in a step allocates, compiles or waits.
 * @module
 */
import type { PreprocessSpec } from "../../shared/image/preprocess.ts";
import { augment, centreCrop } from "../augment/augment.ts";
import { readFloats, storageBuffer } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Dispatch } from "../gpu/kernel.ts";
import { PipelineCache } from "../gpu/pipelines.ts";
import { type DispatchTime, type PreparedDispatch, timeDispatches } from "../gpu/profiler.ts";
import { addTotals, TOTALS } from "../kernels/totals/totals.ts";
import { toStorage } from "../ops/layout.ts";
import { elementsOf } from "../ops/op.ts";
import { encodeStep, STEP_BYTES, type StepValues } from "../ops/step.ts";
import { sgdUpdate } from "../optimizers/sgd.ts";
import type { Graph } from "./graph.ts";
import {
  layOutParameters,
  packArena,
  type ParameterArena,
  type ParameterValues,
  unpackArena,
} from "./parameters.ts";
import { type Plan, plan } from "./plan.ts";

export interface EngineOptions {
  readonly batch: number;
  readonly preprocess: PreprocessSpec;
  readonly momentum: number;
  readonly decay: number;
  /** Fewer images at a time than the batch; by default as many as the adapter's limits allow. */
  readonly partSize?: number;
}

/** A batch as bytes to be cropped, or as images that are ready. */
export type InputBatch =
  & { readonly labels: Uint32Array }
  & ({ readonly records: Uint8Array; readonly crops: Uint32Array } | {
    readonly images: Float32Array;
  });

/** Sums over the images since the last look. */
export interface Totals {
  readonly images: number;
  readonly loss: number;
  readonly top1Errors: number;
  readonly top5Errors: number;
}

export class Engine {
  readonly arena: ParameterArena;
  readonly options: EngineOptions;
  /** Images of one pass; a batch is `batch / partSize` passes. */
  readonly partSize: number;
  readonly trainingPlan: Plan;
  readonly #gpu: Gpu;
  readonly #graph: Graph;
  readonly #buffers = new Map<string, GPUBuffer>();
  readonly #pipelines: PipelineCache;
  readonly #evaluationPlan: Plan;
  #trainingInput: PreparedDispatch[] = [];
  #evaluationInput: PreparedDispatch[] = [];
  #firstPart: PreparedDispatch[] = [];
  #laterPart: PreparedDispatch[] = [];
  #update: PreparedDispatch[] = [];
  #evaluation: PreparedDispatch[] = [];
  readonly #recordBytes: number;
  readonly #staging: Uint8Array<ArrayBuffer>;

  /** Allocates, compiles and zeroes everything; parameters come with {@link loadParameters}. */
  static async create(gpu: Gpu, graph: Graph, options: EngineOptions): Promise<Engine> {
    const engine = new Engine(gpu, graph, options);
    await engine.#prepare();
    return engine;
  }

  private constructor(gpu: Gpu, graph: Graph, options: EngineOptions) {
    this.#gpu = gpu;
    this.#graph = graph;
    this.options = options;
    this.arena = layOutParameters(graph);
    this.#pipelines = new PipelineCache(gpu.device);
    this.partSize = options.partSize ?? largestPart(gpu, graph, this.arena, options.batch);
    if (options.batch % this.partSize !== 0) {
      throw new RangeError(
        `Cannot work on a batch of ${options.batch} in parts of ${this.partSize}: not a divisor`,
      );
    }
    const common = { batch: this.partSize, target: gpu, lossBatch: options.batch };
    this.trainingPlan = plan(graph, this.arena, { ...common, training: true });
    this.#evaluationPlan = plan(graph, this.arena, { ...common, training: false });
    const { side, channels } = options.preprocess;
    this.#recordBytes = side * side * channels;
    this.#staging = new Uint8Array(Math.ceil(this.partSize * this.#recordBytes / 4) * 4);
  }

  async #prepare(): Promise<void> {
    const { device } = this.#gpu;
    const add = (name: string, bytes: number) =>
      this.#buffers.set(name, storageBuffer(device, bytes, name));
    for (const name of ["parameters", "gradients", "momenta"]) add(name, this.arena.bytes);
    add("records", this.#staging.length);
    add("crops", this.partSize * 4);
    add("labels", this.partSize * 4);
    add("losses", this.partSize * 3 * 4);
    add("totals", TOTALS * 4);
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    this.#buffers.set("step", device.createBuffer({ label: "step", size: STEP_BYTES, usage }));
    const slots = [this.trainingPlan.slots, this.#evaluationPlan.slots];
    for (let i = 0; i < Math.max(slots[0]!.length, slots[1]!.length); i++) {
      add(`slot${i}`, Math.max(slots[0]![i] ?? 0, slots[1]![i] ?? 0));
    }
    const { forward, backward, backwardAdding } = this.trainingPlan;
    const totals = addTotals("losses", "totals", "step");
    this.#trainingInput = await this.#compile([this.#inputStage(this.trainingPlan)]);
    this.#evaluationInput = await this.#compile([this.#inputStage(this.#evaluationPlan)]);
    this.#firstPart = await this.#compile([...forward, totals, ...backward]);
    if (this.partSize < this.options.batch) {
      this.#laterPart = await this.#compile([...forward, totals, ...backwardAdding]);
    }
    this.#update = await this.#compile(sgdUpdate(this.arena.groups, this.options, this.#gpu));
    this.#evaluation = await this.#compile([...this.#evaluationPlan.forward, totals]);
    this.#gpu.check();
  }

  #inputStage({ activationSlots }: Plan): Dispatch<string> {
    const { preprocess } = this.options;
    const stage = augment(preprocess, this.partSize, this.#gpu.maxWorkgroups);
    const images = activationSlots.get(this.#graph.input.id)!;
    return {
      ...stage,
      bindings: stage.bindings.map(({ buffer }) => ({
        buffer: buffer === "images" ? images : buffer,
      })),
    };
  }

  async #compile(dispatches: readonly Dispatch<string>[]): Promise<PreparedDispatch[]> {
    const { device } = this.#gpu;
    await this.#pipelines.prepare(dispatches.map(({ kernel }) => kernel));
    return dispatches.map(({ kernel, bindings, workgroups }) => {
      const pipeline = this.#pipelines.get(kernel);
      const bindGroup = device.createBindGroup({
        label: kernel.label,
        layout: pipeline.getBindGroupLayout(0),
        entries: bindings.map(({ buffer, offset = 0, size }, binding) => ({
          binding,
          resource: {
            buffer: this.#buffers.get(buffer)!,
            offset,
            ...(size === undefined ? {} : { size }),
          },
        })),
      });
      return { label: kernel.label, pipeline, bindGroup, workgroups };
    });
  }

  /** @throws {RangeError} on a missing, unknown or wrongly sized parameter, by name. */
  loadParameters(values: ParameterValues): void {
    this.#write("parameters", packArena(this.arena, values));
  }

  loadMomenta(values: ParameterValues): void {
    this.#write("momenta", packArena(this.arena, values));
  }

  /** Waits for the queue, as every `read…` does: never between two steps without need. */
  async readParameters(): Promise<ParameterValues> {
    return unpackArena(this.arena, await this.#read("parameters"));
  }

  async readMomenta(): Promise<ParameterValues> {
    return unpackArena(this.arena, await this.#read("momenta"));
  }

  /** Gradients of the last step's loss. */
  async readGradients(): Promise<ParameterValues> {
    return unpackArena(this.arena, await this.#read("gradients"));
  }

  /**
   * One step of training on a whole batch.
   *
   * @param batch labels [batch] and either records [batch, side, side, channels] with crops [batch]
   * (see `drawCrops`) or ready images [batch, channels, crop, crop]
   */
  trainStep(
    batch: InputBatch,
    at: Pick<StepValues, "learningRate" | "seed" | "step">,
    options: { readonly update?: boolean } = {},
  ): void {
    const parts = this.options.batch / this.partSize;
    for (let part = 0; part < parts; part++) {
      this.#upload(batch, part, { ...at, part, images: this.partSize }, this.trainingPlan);
      const last = part === parts - 1 && (options.update ?? true);
      this.#submit([
        ..."images" in batch ? [] : this.#trainingInput,
        ...part === 0 ? this.#firstPart : this.#laterPart,
        ...last ? this.#update : [],
      ]);
    }
    this.#gpu.check();
  }

  /**
   * Forward on up to `partSize` images, without dropout; adds to the totals.
   *
   * @param batch records (their centre crops are taken) or ready images, and labels
   * @param count images that are real; the arrays may be longer or shorter than a part
   */
  evaluateStep(
    batch: { labels: Uint32Array } & ({ records: Uint8Array } | { images: Float32Array }),
    count: number,
  ): void {
    const crops = new Uint32Array(this.partSize).fill(centreCrop(this.options.preprocess));
    const step = { learningRate: 0, seed: 0, step: 0, part: 0, images: count };
    this.#upload({ crops, ...batch }, 0, step, this.#evaluationPlan);
    this.#submit([..."images" in batch ? [] : this.#evaluationInput, ...this.#evaluation]);
    this.#gpu.check();
  }

  /** Probabilities [count, classes] of the last {@link evaluateStep}. */
  async readProbabilities(count: number): Promise<Float32Array<ArrayBuffer>> {
    const { output } = this.#graph;
    const { channels, stride } = output.shape;
    const slot = this.#evaluationPlan.activationSlots.get(output.id)!;
    const stored = await this.#read(slot, { size: count * stride * 4 });
    const values = new Float32Array(count * channels);
    for (let i = 0; i < count; i++) {
      values.set(stored.subarray(i * stride, i * stride + channels), i * channels);
    }
    return values;
  }

  /** The input tensor of the last {@link evaluateStep}, in memory's NHWC with four channels. */
  async readImages(count: number): Promise<Float32Array<ArrayBuffer>> {
    const { input } = this.#graph;
    const slot = this.#evaluationPlan.activationSlots.get(input.id)!;
    const { crop } = this.options.preprocess;
    return await this.#read(slot, { size: count * crop * crop * input.shape.stride * 4 });
  }

  /**
   * The sums since the last call, which starts them anew. The copy is queued at once, so steps may
   * follow before the promise is awaited; awaiting waits for the queue.
   */
  takeTotals(): Promise<Totals> {
    const { device } = this.#gpu;
    const totals = this.#buffers.get("totals")!;
    const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
    const staging = device.createBuffer({ size: totals.size, usage });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(totals, 0, staging, 0, totals.size);
    encoder.clearBuffer(totals);
    device.queue.submit([encoder.finish()]);
    return this.#readTotals(staging);
  }

  async #readTotals(staging: GPUBuffer): Promise<Totals> {
    await staging.mapAsync(GPUMapMode.READ);
    const [loss, top1Errors, top5Errors, images] = new Float32Array(staging.getMappedRange());
    staging.destroy();
    this.#gpu.check();
    return { images: images!, loss: loss!, top1Errors: top1Errors!, top5Errors: top5Errors! };
  }

  /**
   * Milliseconds on the GPU of each dispatch of one training step, the first part of the batch and
   * the update. The step is really made.
   *
   * @throws {Error} where the adapter has no timestamp queries.
   */
  profileStep(): Promise<DispatchTime[]> {
    return timeDispatches(this.#gpu.device, [
      ...this.#trainingInput,
      ...this.#firstPart,
      ...this.#update,
    ]);
  }

  close(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
  }

  #upload(batch: InputBatch, part: number, step: StepValues, { activationSlots }: Plan): void {
    const first = part * this.partSize;
    const end = first + this.partSize;
    if ("images" in batch) {
      const { shape } = this.#graph.input;
      const floats = elementsOf(shape);
      const images = batch.images.subarray(first * floats, end * floats);
      const slot = activationSlots.get(this.#graph.input.id)!;
      this.#write(slot, toStorage(images, shape, images.length / floats));
    } else {
      const bytes = this.#recordBytes;
      this.#staging.set(batch.records.subarray(first * bytes, end * bytes));
      this.#write("records", this.#staging);
      this.#write("crops", batch.crops.slice(first, end));
    }
    this.#write("labels", batch.labels.slice(first, end));
    this.#gpu.device.queue.writeBuffer(this.#buffers.get("step")!, 0, encodeStep(step));
  }

  #submit(dispatches: readonly PreparedDispatch[]): void {
    const { device } = this.#gpu;
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const { pipeline, bindGroup, workgroups } of dispatches) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(...workgroups);
    }
    pass.end();
    device.queue.submit([encoder.finish()]);
  }

  #write(
    name: string,
    data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>,
  ): void {
    this.#gpu.device.queue.writeBuffer(this.#buffers.get(name)!, 0, data);
  }

  #read(name: string, range?: { offset?: number; size?: number }) {
    return readFloats(this.#gpu.device, this.#buffers.get(name)!, range);
  }
}

/** The largest divisor of the batch with which no tensor exceeds what the adapter binds. */
function largestPart(gpu: Gpu, graph: Graph, arena: ParameterArena, batch: number): number {
  for (let parts = 1; parts <= batch; parts++) {
    if (batch % parts !== 0) continue;
    const { slots } = plan(graph, arena, { batch: batch / parts, target: gpu, training: true });
    if (Math.max(...slots) <= gpu.maxBindingBytes) return batch / parts;
  }
  throw new RangeError(
    `Cannot train ${graph.name}: one image needs a tensor larger than the adapter binds ` +
      `(${gpu.maxBindingBytes} bytes)`,
  );
}
