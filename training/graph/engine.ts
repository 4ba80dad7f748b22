/**
 * Runs a graph on a device: owns the buffers, compiles the kernels once, and encodes a step as one
 * list of dispatches. Nothing in a step allocates, compiles or waits.
 * @module
 */
import { meanPixels } from "../augment/augment.ts";
import { centreCrop } from "../augment/draw.ts";
import { readBytes, readFloats, storageBuffer } from "../gpu/buffers.ts";
import { type Gpu, requirePrecision } from "../gpu/device.ts";
import { allocating } from "../gpu/memory.ts";
import { stageCopy, takeStaged } from "../gpu/staged_copy.ts";
import { encodeDispatches } from "../gpu/encode.ts";
import type { Dispatch } from "../gpu/kernel.ts";
import { PipelineCache } from "../gpu/pipelines.ts";
import { bytesOf, fromStored } from "../gpu/precision.ts";
import { prepareDispatches } from "../gpu/prepare.ts";
import { type DispatchTime, timeDispatches } from "../gpu/profiler.ts";
import {
  decodeLossScale,
  encodeLossScale,
  FIRST_LOSS_SCALE,
  LOSS_SCALE_BYTES,
  type LossScale,
  NO_LOSS_SCALE,
} from "../kernels/loss_scale/loss_scale.ts";
import type { TileTable } from "../kernels/tile.ts";
import { addTotals } from "../kernels/totals/totals.ts";
import type { OpTarget } from "../ops/op.ts";
import { BatchUpload, type InputBatch, type StepPlace } from "./batch_upload.ts";
import {
  type CheckedLists,
  FiniteChecks,
  FLAGS_BUFFER,
  type NonFiniteTensor,
} from "./finite_checks.ts";
import type { Graph } from "./graph.ts";
import {
  layOutParameters,
  packArena,
  type ParameterArena,
  type ParameterValues,
  unpackArena,
} from "./parameters.ts";
import { readArena } from "./read_arena.ts";
import type { EngineOptions, StepDispatch, StepPart } from "./engine_options.ts";
import { type LayerNorms, NormsPlan } from "./layer_norms.ts";
import { OutputReader, PASSES_KEPT, withoutPadding } from "./output_reader.ts";
import { largestPart } from "./part_size.ts";
import { type Plan, plan } from "./plan.ts";
import { preprocessStage, storeStage, updateStage } from "./step_stages.ts";
import { type StepTotals, StepTotalsReader, type Totals, TOTALS_BYTES } from "./step_totals.ts";

const NOTHING: readonly StepDispatch[] = [];

export class Engine {
  readonly arena: ParameterArena;
  readonly options: EngineOptions;
  /** Images of one pass; a batch is `batch / partSize` passes. */
  readonly partSize: number;
  readonly trainingPlan: Plan;
  readonly #gpu: Gpu;
  readonly #target: OpTarget;
  readonly #graph: Graph;
  readonly #buffers = new Map<string, GPUBuffer>();
  readonly #pipelines: PipelineCache;
  readonly #evaluationPlan: Plan;
  #trainingInput = NOTHING;
  #evaluationInput = NOTHING;
  #firstPart = NOTHING;
  #laterPart = NOTHING;
  #storeParameters = NOTHING;
  #update = NOTHING;
  #evaluation = NOTHING;
  #checked: CheckedLists | null = null;
  #uploads!: BatchUpload;
  #totals!: StepTotalsReader;
  readonly #centreCrops: Uint32Array<ArrayBuffer>;
  #answers: OutputReader | null = null;
  readonly #normsPlan: NormsPlan;
  #norms = NOTHING;

  /**
   * Allocates, compiles and zeroes everything; parameters come with {@link loadParameters}.
   *
   * @throws {OutOfGpuMemoryError} where the device refuses an allocation; it keeps none then.
   * @throws {Error} where float16 is asked for and the adapter has none.
   */
  static async create(gpu: Gpu, graph: Graph, options: EngineOptions): Promise<Engine> {
    requirePrecision(gpu, options.precision ?? "f32");
    const engine = new Engine(gpu, graph, options);
    const made = allocating(gpu.device, () => engine.#allocate()).then(() => engine.#prepare());
    return await made.then(() => engine, (error) => {
      engine.close();
      throw error;
    });
  }

  private constructor(gpu: Gpu, graph: Graph, options: EngineOptions) {
    this.#gpu = gpu;
    this.#graph = graph;
    this.options = options;
    this.arena = layOutParameters(graph, options.layers);
    this.#normsPlan = new NormsPlan(this.arena, gpu);
    this.#pipelines = new PipelineCache(gpu.device);
    const { batch, partSize: most = batch, precision = "f32", tiles = new Map() } = options;
    const target = this.#target = { ...gpu, tiles, precision };
    if (batch % most !== 0) {
      throw new RangeError(`Cannot work on a batch of ${batch} in parts of ${most}: not a divisor`);
    }
    this.partSize = largestPart(graph, this.arena, batch, target, { most, ...options.preprocess });
    const common = { batch: this.partSize, target, lossBatch: batch };
    this.trainingPlan = plan(graph, this.arena, { ...common, training: true });
    this.#evaluationPlan = plan(graph, this.arena, { ...common, training: false });
    this.#centreCrops = new Uint32Array(this.partSize).fill(centreCrop(options.preprocess));
  }

  #allocate(): void {
    const { device } = this.#gpu;
    const add = (name: string, bytes: number) =>
      this.#buffers.set(name, storageBuffer(device, bytes, name));
    const { kept } = this.options;
    const arenas = ["parameters", "gradients", "momenta", ...kept ? ["kept"] : []];
    for (const name of arenas) add(name, this.arena.bytes);
    if (kept) this.#write("kept", packArena(this.arena, kept));
    if (this.#isHalf) add("halfParameters", this.arena.bytes / 2);
    add("lossScale", LOSS_SCALE_BYTES);
    this.loadLossScale(this.#isHalf ? FIRST_LOSS_SCALE : NO_LOSS_SCALE);
    const { side, channels } = this.options.preprocess;
    this.#uploads = new BatchUpload(device, {
      images: this.partSize,
      input: this.#graph.input.shape,
      recordBytes: side * side * channels,
      precision: this.#target.precision,
    });
    for (const [name, buffer] of this.#uploads.buffers) this.#buffers.set(name, buffer);
    const means = meanPixels(this.options.preprocess, this.options.meanCrop);
    add("means", means.byteLength);
    this.#write("means", means);
    add("losses", this.partSize * 3 * 4);
    add("totals", TOTALS_BYTES);
    this.#totals = new StepTotalsReader(device, this.#buffers.get("totals")!);
    const slots = [this.trainingPlan.slots, this.#evaluationPlan.slots];
    for (let i = 0; i < Math.max(slots[0]!.length, slots[1]!.length); i++) {
      add(`slot${i}`, Math.max(slots[0]![i] ?? 0, slots[1]![i] ?? 0));
    }
    add("norms", this.#normsPlan.bytes);
  }

  async #prepare(): Promise<void> {
    const { forward, backward, backwardAdding } = this.trainingPlan;
    const totals = {
      ...addTotals("losses", "totals", "step"),
      node: "totals",
      direction: "forward" as const,
    };
    const inputStage = ({ activationSlots }: Plan) =>
      preprocessStage(activationSlots.get(this.#graph.input.id)!, {
        preprocess: this.options.preprocess,
        images: this.partSize,
        recordBytes: this.#uploads.recordBytes,
        target: this.#target,
      });
    this.#trainingInput = await this.#compile([inputStage(this.trainingPlan)]);
    this.#evaluationInput = await this.#compile([inputStage(this.#evaluationPlan)]);
    this.#firstPart = await this.#compile([...forward, totals, ...backward]);
    if (this.partSize < this.options.batch) {
      this.#laterPart = await this.#compile([...forward, totals, ...backwardAdding]);
    }
    const store = storeStage(this.arena, this.#target);
    this.#storeParameters = await this.#compile(store);
    this.#update = await this.#compile([
      ...updateStage(this.arena, this.options, this.#target),
      ...store,
    ]);
    this.#norms = await this.#compile(this.#normsPlan.dispatches);
    this.#evaluation = await this.#compile([...this.#evaluationPlan.forward, totals]);
    this.#gpu.check();
  }

  async #compile(
    dispatches: readonly (Dispatch<string> & StepPart)[],
  ): Promise<StepDispatch[]> {
    const bufferOf = (name: string) => this.#buffers.get(name)!;
    const prepared = await prepareDispatches(
      this.#gpu.device,
      this.#pipelines,
      dispatches,
      bufferOf,
    );
    return prepared.map((dispatch, index) => ({
      bytes: dispatches[index]!.bindings.reduce(
        (sum, { buffer, offset = 0, size }) => sum + (size ?? bufferOf(buffer).size - offset),
        0,
      ),
      ...dispatch,
    }));
  }

  /** @throws {RangeError} on a missing, unknown or wrongly sized parameter, by name. */
  loadParameters(values: ParameterValues): void {
    this.#write("parameters", packArena(this.arena, values));
    this.#submit(this.#storeParameters);
  }

  loadMomenta(values: ParameterValues): void {
    this.#write("momenta", packArena(this.arena, values));
  }

  /** One parameter's values in ONNX's layout, the others stay. */
  writeParameter(name: string, values: Float32Array): void {
    const slot = this.arena.slots.find((slot) => slot.name === name);
    if (!slot) throw new RangeError(`Cannot write ${name}: it is not in the network`);
    const packed = slot.spec.pack(values);
    this.#gpu.device.queue.writeBuffer(this.#buffers.get("parameters")!, slot.offset, packed);
    this.#submit(this.#storeParameters);
  }

  /** Where a training in float16 goes on; in float32 the scale stays 1. */
  loadLossScale(state: LossScale): void {
    this.#gpu.device.queue.writeBuffer(this.#buffers.get("lossScale")!, 0, encodeLossScale(state));
  }

  async readLossScale(): Promise<LossScale> {
    const { ofGradients: _, ...state } = await this.#lossScale();
    return state;
  }

  async #lossScale() {
    return decodeLossScale(await readBytes(this.#gpu.device, this.#buffers.get("lossScale")!));
  }

  get #isHalf(): boolean {
    return this.#target.precision === "f16";
  }

  /** Waits for the queue, as every `read…` does: never between two steps without need. */
  async readParameters(): Promise<ParameterValues> {
    return unpackArena(this.arena, await this.#read("parameters"));
  }

  async readMomenta(): Promise<ParameterValues> {
    return unpackArena(this.arena, await this.#read("momenta"));
  }

  /** Every parameter, then every momentum, in ONNX's layout and the arena's order. */
  async *readTensors(): AsyncGenerator<Float32Array<ArrayBuffer>> {
    for (const name of ["parameters", "momenta"]) {
      yield* readArena(this.#gpu.device, this.arena, this.#buffers.get(name)!);
    }
    this.#gpu.check();
  }

  /** Gradients of the last step's loss. */
  async readGradients(): Promise<ParameterValues> {
    const { ofGradients } = await this.#lossScale();
    const scaled = await this.#read("gradients");
    return unpackArena(this.arena, scaled.map((value) => value / ofGradients));
  }

  /**
   * One step of training on a whole batch.
   *
   * @param batch labels [batch] and either records [batch, side, side, channels] with crops [batch]
   * (see `drawCrops`) or ready images [batch, channels, crop, crop]
   */
  trainStep(
    batch: InputBatch,
    at: StepPlace,
    options: { readonly update?: boolean; readonly backward?: boolean } = {},
  ): void {
    const { update = true, backward = true } = options;
    const wanted = (list: readonly StepDispatch[]) =>
      backward ? list : list.filter(({ direction }) => direction === "forward");
    const parts = this.options.batch / this.partSize;
    for (let part = 0; part < parts; part++) {
      this.#upload(batch, at, part, this.trainingPlan);
      this.#submit(
        "images" in batch ? NOTHING : this.#trainingInput,
        wanted(part === 0 ? this.#firstPart : this.#laterPart),
        part === parts - 1 && update && backward ? this.#update : NOTHING,
      );
    }
    this.#gpu.check();
  }

  /**
   * As {@link trainStep}, to the bit, looking at every tensor as soon as it is written; it waits for
   * the GPU.
   *
   * @returns the first tensor that is not finite; null where all are.
   */
  async checkedStep(batch: InputBatch, at: StepPlace): Promise<NonFiniteTensor | null> {
    const { checks, first, later, update } = this.#checked ??= await this.#compileChecked();
    const { device } = this.#gpu;
    const flags = this.#buffers.get(FLAGS_BUFFER)!;
    const parts = this.options.batch / this.partSize;
    for (let part = 0; part < parts; part++) {
      this.#upload(batch, at, part, this.trainingPlan);
      const input = "images" in batch ? NOTHING : this.#trainingInput;
      this.#submit(input, part === 0 ? first : later, part === parts - 1 ? update : NOTHING);
    }
    const found = checks.first(new Uint32Array(await readBytes(device, flags)));
    const encoder = device.createCommandEncoder();
    encoder.clearBuffer(flags);
    device.queue.submit([encoder.finish()]);
    this.#gpu.check();
    return found;
  }

  async #compileChecked(): Promise<CheckedLists> {
    const checks = new FiniteChecks(this.#gpu);
    const { forward, backward, backwardAdding } = this.trainingPlan;
    // Each part has checks of its own: the flags are in the order of the step.
    const first = checks.addTo([...forward, ...backward]);
    const later = checks.addTo([...forward, ...backwardAdding]);
    const stage = updateStage(this.arena, this.options, this.#target);
    const writes = this.arena.slots.flatMap(({ name, offset, size }) => [
      { what: name, buffer: "parameters", offset, size },
      { what: `the momentum of ${name}`, buffer: "momenta", offset, size },
    ]);
    const update = checks.addTo(stage.map((dispatch, i) => ({
      ...dispatch,
      ...(i === stage.length - 1 ? { writes } : {}),
    })));
    this.#buffers.set(FLAGS_BUFFER, storageBuffer(this.#gpu.device, checks.bytes, FLAGS_BUFFER));
    return {
      checks,
      first: await this.#compile(first),
      later: await this.#compile(later),
      update: await this.#compile(update),
    };
  }

  /**
   * Forward on up to `partSize` images, without dropout; adds to the totals.
   *
   * @param batch records (by default their centre crops) or ready images, and labels
   * @param count images that are real; the arrays may be longer or shorter than a part
   */
  evaluateStep(
    batch:
      & { labels: Uint32Array }
      & ({ records: Uint8Array; crops?: Uint32Array } | { images: Float32Array }),
    count: number,
  ): void {
    const crops = "records" in batch && batch.crops ? batch.crops : this.#centreCrops;
    const at = { learningRate: 0, seed: 0, step: 0 };
    this.#upload({ ...batch, crops, colors: undefined }, at, 0, this.#evaluationPlan, count);
    this.#submit("images" in batch ? NOTHING : this.#evaluationInput, this.#evaluation);
    this.#gpu.check();
  }

  /**
   * Queues the norms of the last step's weights, gradients and updates; gives what reads them later.
   */
  keepNorms(): () => Promise<LayerNorms> {
    this.#submit(this.#norms);
    const [sums, scale] = ["norms", "lossScale"].map((name) =>
      stageCopy(this.#gpu.device, this.#buffers.get(name)!)
    );
    return async () => {
      const { ofGradients } = decodeLossScale(await takeStaged(scale!));
      return this.#normsPlan.norms(new Float32Array(await takeStaged(sums!)), ofGradients);
    };
  }

  /** Probabilities [count, classes] of the last {@link evaluateStep}. */
  async readProbabilities(count: number): Promise<Float32Array<ArrayBuffer>> {
    const { output } = this.#graph;
    const slot = this.#evaluationPlan.activationSlots.get(output.id)!;
    const stored = await this.#read(slot, { size: count * output.shape.stride * 4 });
    return withoutPadding(stored, output.shape);
  }

  /** Keeps the probabilities of the last {@link evaluateStep} for {@link takeProbabilities}. */
  keepProbabilities(): void {
    const { output } = this.#graph;
    this.#answers ??= new OutputReader(this.#gpu.device, output.shape, {
      images: this.partSize,
      passes: PASSES_KEPT,
    });
    this.#answers.keep(this.#buffers.get(this.#evaluationPlan.activationSlots.get(output.id)!)!);
  }

  /**
   * Probabilities [passes, partSize, classes] of what was kept, at most {@link PASSES_KEPT} passes;
   * as {@link takeTotals}, steps may follow first.
   */
  takeProbabilities(): Promise<Float32Array<ArrayBuffer>> {
    return this.#answers!.take();
  }

  /** The input tensor of the last {@link evaluateStep}, in memory's NHWC with four channels. */
  async readImages(count: number): Promise<Float32Array<ArrayBuffer>> {
    const { input } = this.#graph;
    const slot = this.#evaluationPlan.activationSlots.get(input.id)!;
    const { crop } = this.options.preprocess;
    const { precision } = this.#target;
    const size = count * crop * crop * input.shape.stride * bytesOf(precision);
    const bytes = await readBytes(this.#gpu.device, this.#buffers.get(slot)!, { size });
    return fromStored(bytes, precision);
  }

  /**
   * The sums since the last call, which starts them anew. The copy is queued at once, so steps may
   * follow before the promise is awaited; awaiting waits for the queue.
   */
  async takeTotals(): Promise<Totals> {
    const totals = await this.#totals.takeSum();
    this.#gpu.check();
    return totals;
  }

  /**
   * As {@link takeTotals}, step by step.
   *
   * @throws {RangeError} after more steps than the GPU keeps apart, `TOTAL_ROWS`.
   */
  async takeStepTotals(): Promise<StepTotals[]> {
    const totals = await this.#totals.takeSteps();
    this.#gpu.check();
    return totals;
  }

  /**
   * As {@link trainStep}, to the bit, with the clock read around each dispatch; it waits for the GPU.
   * Without a batch it steps on what was uploaded last, the first part of the batch and the update.
   *
   * @throws {Error} where the adapter has no timestamp queries.
   */
  async profileStep(batch?: InputBatch, at?: StepPlace): Promise<DispatchTime<StepDispatch>[]> {
    const parts = batch ? this.options.batch / this.partSize : 1;
    const times: DispatchTime<StepDispatch>[] = [];
    for (let part = 0; part < parts; part++) {
      if (batch && at) this.#upload(batch, at, part, this.trainingPlan);
      const dispatches = [
        ...batch && "images" in batch ? NOTHING : this.#trainingInput,
        ...part === 0 ? this.#firstPart : this.#laterPart,
        ...part === parts - 1 ? this.#update : NOTHING,
      ];
      times.push(...await timeDispatches(this.#gpu.device, dispatches));
    }
    this.#gpu.check();
    return times;
  }

  /** The tiles in use, by problem key: they fix the order of sums, and so the bits of a run. */
  get tiles(): TileTable {
    const { forward, backward } = this.trainingPlan;
    return new Map(
      [...forward, ...backward].flatMap(({ problem }) =>
        problem ? [[problem.key, problem.tile]] : []
      ),
    );
  }

  close(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
    this.#answers?.destroy();
    this.#pipelines.images.close();
  }

  #upload(
    batch: InputBatch,
    at: StepPlace,
    part: number,
    { activationSlots }: Plan,
    count = this.partSize,
  ): void {
    const images = this.#buffers.get(activationSlots.get(this.#graph.input.id)!)!;
    this.#uploads.write(batch, at, { part, count, images });
    this.#totals.note(at.step);
  }

  /**
   * One submit, and as few passes as the copies into images allow: for 60 small dispatches on
   * llvmpipe 5.6 ms, as ten passes 5.8, as 60 passes 7.5, as three submits 6.2, as 60 submits 11.3
   * (2026-11-24, medians on a busy machine).
   */
  #submit(...lists: readonly (readonly StepDispatch[])[]): void {
    const { device } = this.#gpu;
    const encoder = device.createCommandEncoder();
    encodeDispatches(encoder, lists.flat());
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
