/** What a network says of images, and which of their pixels it says it for. */
import { readFloats, storageBuffer } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/device.ts";
import { encodeDispatches } from "../gpu/encode.ts";
import { PipelineCache } from "../gpu/pipelines.ts";
import { type PreparedDispatch, prepareDispatches } from "../gpu/prepare.ts";
import { fromStorage, toStorage } from "../ops/layout.ts";
import { classScore } from "../ops/softmax_cross_entropy/class_score.ts";
import { STEP_BYTES } from "../ops/step.ts";
import { Graph } from "./graph.ts";
import { withoutPadding } from "./output_reader.ts";
import { layOutParameters, packArena, type ParameterValues } from "./parameters.ts";
import { type BufferName, type Plan, plan } from "./plan.ts";

export interface ScoreGradients {
  /** [images, classes] */
  readonly probabilities: Float32Array<ArrayBuffer>;
  /** [images, channels, height, width]: of each label's score with respect to its image. */
  readonly gradient: Float32Array<ArrayBuffer>;
}

/** The same network with the class's score in place of its loss. */
function scoreGraph(graph: Graph): Graph {
  const copy = new Graph(graph.name, graph.input.shape);
  graph.nodes.forEach(({ name, op, inputs }, index) => {
    const last = index === graph.nodes.length - 1;
    // Tensors are numbered in the order of the nodes, so they have the same numbers here.
    copy.addAll(name, last ? classScore() : op, ...inputs.map(({ id }) => copy.tensors[id]!));
  });
  return copy;
}

/** As at evaluation, so without dropout, but with a backward that goes down to the images. */
export class ScoreGradient {
  readonly #gpu: Gpu;
  readonly #graph: Graph;
  readonly #plan: Plan;
  readonly #images: number;
  readonly #buffers = new Map<BufferName, GPUBuffer>();
  #dispatches: readonly PreparedDispatch[] = [];

  /** @param images of one run */
  static async create(
    gpu: Gpu,
    graph: Graph,
    options: { readonly images: number; readonly parameters: ParameterValues },
  ): Promise<ScoreGradient> {
    const runner = new ScoreGradient(gpu, scoreGraph(graph), options.images);
    await runner.#prepare(options.parameters);
    return runner;
  }

  private constructor(gpu: Gpu, graph: Graph, images: number) {
    this.#gpu = gpu;
    this.#graph = graph;
    this.#images = images;
    this.#plan = plan(graph, layOutParameters(graph), {
      batch: images,
      target: gpu,
      training: false,
      backward: true,
      inputGradient: true,
    });
  }

  async #prepare(parameters: ParameterValues): Promise<void> {
    const { device } = this.#gpu;
    const arena = layOutParameters(this.#graph);
    const add = (name: BufferName, bytes: number) =>
      this.#buffers.set(name, storageBuffer(device, bytes, name));
    add("parameters", arena.bytes);
    add("gradients", arena.bytes);
    add("labels", 4 * this.#images);
    add("losses", 3 * 4 * this.#images);
    this.#plan.slots.forEach((bytes, slot) => add(`slot${slot}`, bytes));
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    this.#buffers.set("step", device.createBuffer({ label: "step", size: STEP_BYTES, usage }));
    device.queue.writeBuffer(this.#buffer("parameters"), 0, packArena(arena, parameters));
    this.#dispatches = await prepareDispatches(
      device,
      new PipelineCache(device),
      [...this.#plan.forward, ...this.#plan.backward],
      (name: BufferName) => this.#buffer(name),
    );
    this.#gpu.check();
  }

  /**
   * @param images [images, channels, height, width], as the network is fed
   * @param labels whose scores: [images]
   */
  async run(images: Float32Array, labels: Uint32Array<ArrayBuffer>): Promise<ScoreGradients> {
    const { device } = this.#gpu;
    const { input, output } = this.#graph;
    const { activationSlots, inputGradientSlot } = this.#plan;
    const stored = toStorage(images, input.shape, this.#images);
    device.queue.writeBuffer(this.#buffer(activationSlots.get(input.id)!), 0, stored);
    device.queue.writeBuffer(this.#buffer("labels"), 0, labels);
    const encoder = device.createCommandEncoder();
    encodeDispatches(encoder, this.#dispatches);
    device.queue.submit([encoder.finish()]);
    const read = (name: BufferName, floats: number) =>
      readFloats(device, this.#buffer(name), { size: 4 * floats });
    const answers = await read(activationSlots.get(output.id)!, this.#images * output.shape.stride);
    const gradient = await read(inputGradientSlot!, stored.length);
    this.#gpu.check();
    return {
      probabilities: withoutPadding(answers, output.shape),
      gradient: fromStorage(gradient, input.shape, this.#images),
    };
  }

  close(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
  }

  #buffer(name: BufferName): GPUBuffer {
    return this.#buffers.get(name)!;
  }
}
