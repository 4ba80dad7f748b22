/**
 * From a graph to the list of dispatches that run it, forward and in reverse for the gradients,
 * with every tensor's place in memory. Pure data: it needs no device.
 * @module
 */
import type { Binding, Dispatch } from "../gpu/kernel.ts";
import { bytesOf } from "../gpu/precision.ts";
import {
  floatsOf,
  NO_WORK,
  type OpContext,
  type OpDispatch,
  type OpTarget,
  type OpWork,
  outputBytes,
  type Role,
  type TensorRef,
} from "../ops/op.ts";
import { addInto } from "../kernels/add/add.ts";
import type { TiledProblem } from "../kernels/tile.ts";
import type { WrittenTensor } from "./finite_checks.ts";
import type { Graph, GraphNode, Tensor } from "./graph.ts";
import { type Lifetime, planMemory } from "./memory_plan.ts";
import type { ParameterArena } from "./parameters.ts";

/** Buffers that the engine owns, or a slot of the memory plan. */
export type BufferName =
  | "parameters"
  | "halfParameters"
  | "gradients"
  | "lossScale"
  | "step"
  | "labels"
  | "losses"
  | `slot${number}`;

export interface PlannedDispatch extends Dispatch<BufferName> {
  /** Node and direction, for the profiler. */
  readonly node: string;
  readonly direction: "forward" | "backward";
  readonly problem?: TiledProblem;
  /** Bytes that its bindings cover: what it moves at least. */
  readonly bytes: number;
  /** Of the last dispatch of a node: what the node has then finished. */
  readonly writes?: readonly WrittenTensor[];
}

export interface PlanOptions {
  readonly batch: number;
  readonly target: OpTarget;
  /** Without training dropout does not drop. */
  readonly training: boolean;
  /** Whether there is a backward; by default in training alone. */
  readonly backward?: boolean;
  /** Backward goes down to the images and keeps their gradient. */
  readonly inputGradient?: boolean;
  /** Images that the loss is the mean of, where a batch is worked on in parts; `batch` by default. */
  readonly lossBatch?: number;
}

export interface Plan {
  readonly batch: number;
  readonly forward: readonly PlannedDispatch[];
  /** Empty where none is asked for. */
  readonly backward: readonly PlannedDispatch[];
  /** As backward, adding to the parameters' gradients. */
  readonly backwardAdding: readonly PlannedDispatch[];
  /** Bytes of each slot. */
  readonly slots: readonly number[];
  /** Where the engine puts the images, and finds a tensor's values while they live. */
  readonly activationSlots: ReadonlyMap<number, BufferName>;
  /** Where the images' gradient is, where it was asked for. */
  readonly inputGradientSlot: BufferName | null;
  /** What each node was asked, by its index: the tuner asks again with other tiles. */
  readonly contexts: readonly OpContext[];
  /** Bytes by class, before sharing. */
  readonly bytes: { activations: number; gradients: number; saved: number; scratch: number };
}

/** One thing in memory: an activation, a gradient, or an operator's saved or scratch tensor. */
interface Region {
  bytes: number;
  from: number;
  to: number;
}

/** Adapters bind at multiples of 4 bytes; a little room spares every kernel a special case. */
const MINIMUM_BYTES = 16;

export function plan(graph: Graph, arena: ParameterArena, options: PlanOptions): Plan {
  return new Planner(graph, arena, options).plan();
}

class Planner {
  readonly #graph: Graph;
  readonly #arena: ParameterArena;
  readonly #options: PlanOptions;
  readonly #regions: Region[] = [];
  /** Region by tensor, as activation and as gradient. */
  readonly #activations = new Map<number, number>();
  readonly #gradients = new Map<number, number>();
  readonly #consumers = new Map<number, number[]>();
  readonly #needsGradient = new Set<number>();
  readonly #bytes = { activations: 0, gradients: 0, saved: 0, scratch: 0 };

  constructor(graph: Graph, arena: ParameterArena, options: PlanOptions) {
    this.#graph = graph;
    this.#arena = arena;
    this.#options = options;
    if (options.inputGradient) this.#needsGradient.add(graph.input.id);
    for (const [index, node] of graph.nodes.entries()) {
      for (const { id } of node.inputs) {
        this.#consumers.set(id, [...this.#consumers.get(id) ?? [], index]);
      }
      const below = node.inputs.some(({ id }) => this.#needsGradient.has(id));
      if (below || node.parameters.length > 0) {
        for (const { id } of node.outputs) this.#needsGradient.add(id);
      }
    }
  }

  plan(): Plan {
    const { batch, training } = this.#options;
    const forward = this.#forward();
    const backward = this.#hasBackward ? this.#backward() : [];
    const end = 2 * this.#graph.nodes.length;
    this.#use(this.#graph.output, end);
    // Evaluation's input may be read afterwards, to compare it with what a service makes of a file.
    if (!training) this.#use(this.#graph.input, end);
    const inputGradient = this.#gradients.get(this.#graph.input.id);
    this.#extend(inputGradient, end);
    const { slotOf, slots } = planMemory(this.#regions as Lifetime[]);
    const slotName = (region: number): BufferName => `slot${slotOf[region]!}`;
    const resolve = (steps: Step[], accumulate: boolean): PlannedDispatch[] =>
      steps.flatMap((step) =>
        step.dispatches(accumulate).map((dispatch, index, { length }) => {
          let moved = 0;
          const bindings = dispatch.bindings.map(({ buffer, ...range }) => {
            const { bytes, ...place } = step.place(buffer, slotName, range);
            moved += range.size ?? bytes;
            return { ...range, ...place };
          });
          const { node, direction } = step;
          const writes = index === length - 1 ? { writes: step.writes(slotName) } : {};
          return { ...dispatch, bindings, node, direction, bytes: moved, ...writes };
        })
      );
    return {
      batch,
      forward: resolve(forward, false),
      backward: resolve(backward, false),
      backwardAdding: resolve(backward, true),
      slots,
      activationSlots: new Map(
        [...this.#activations].map(([tensor, region]) => [tensor, slotName(region)]),
      ),
      inputGradientSlot: inputGradient === undefined ? null : slotName(inputGradient),
      contexts: this.#graph.nodes.map((_, index) => this.#context(index, false)),
      bytes: this.#bytes,
    };
  }

  get #hasBackward(): boolean {
    return this.#options.backward ?? this.#options.training;
  }

  #forward(): Step[] {
    const { nodes, input } = this.#graph;
    this.#activations.set(input.id, this.#region(this.#tensorBytes(input), -1, "activations"));
    return nodes.map((node, time) => {
      const aliased = isFlatten(node) || this.#isFused(time);
      for (const output of node.outputs) {
        const region = aliased
          ? this.#activations.get(node.inputs[0]!.id)!
          : this.#region(this.#tensorBytes(output), time, "activations");
        this.#activations.set(output.id, region);
      }
      for (const tensor of [...node.inputs, ...node.outputs]) this.#use(tensor, time);
      const work = this.#isFused(time)
        ? () => NO_WORK
        : (accumulate: boolean) => node.op.forward(this.#context(time, accumulate));
      return this.#step(time, time, "forward", work);
    });
  }

  #backward(): Step[] {
    const { nodes } = this.#graph;
    const steps: Step[] = [];
    for (let index = nodes.length - 1; index >= 0; index--) {
      const node = nodes[index]!;
      const time = 2 * nodes.length - 1 - index;
      if (!node.outputs.some(({ id }) => this.#needsGradient.has(id))) continue;
      const { inputs, outputs } = node.op.backwardReads;
      if (inputs) node.inputs.forEach((tensor) => this.#use(tensor, time));
      if (outputs || (this.#isFused(index + 1) && node.op.masksGradient)) {
        node.outputs.forEach((tensor) => this.#use(tensor, time));
      }
      for (const { id } of node.outputs) this.#extend(this.#gradients.get(id), time);
      steps.push(...this.#backwardOf(node, index, time));
    }
    return steps;
  }

  /**
   * The node's backward and, where a tensor has several consumers, the addition of what each of
   * them contributes to its gradient: the first one to come writes it, the others add to it.
   */
  #backwardOf(node: GraphNode, index: number, time: number): Step[] {
    const inPlace = isFlatten(node) || node.op.type === "Relu";
    const contributions: number[] = [];
    const additions: Step[] = [];
    for (const tensor of node.inputs) {
      if (!this.#needsGradient.has(tensor.id)) {
        contributions.push(-1);
        continue;
      }
      const region = inPlace
        ? this.#gradients.get(node.outputs[0]!.id)!
        : this.#region(this.#tensorBytes(tensor), time, "gradients");
      contributions.push(region);
      const first = this.#gradients.get(tensor.id);
      if (first === undefined) {
        this.#gradients.set(tensor.id, region);
      } else {
        this.#extend(first, time);
        additions.push(this.#addition(node, tensor, region, first));
      }
    }
    const step = this.#step(
      index,
      time,
      "backward",
      this.#isFused(index) && this.#graph.nodes[index - 1]!.op.masksGradient
        ? () => NO_WORK
        : (accumulate) => node.op.backward(this.#context(index, accumulate)),
      contributions,
    );
    return [step, ...additions];
  }

  #addition(node: GraphNode, tensor: Tensor, from: number, to: number): Step {
    const dispatch = addInto<TensorRef>({
      floats: this.#options.batch * floatsOf(tensor.shape),
      from: { role: "gradInput", index: 0 },
      to: { role: "gradOutput", index: 0 },
      target: this.#options.target,
    });
    return {
      node: node.name,
      direction: "backward",
      dispatches: () => [dispatch],
      writes: () => [],
      place: ({ role }, slotName) => ({
        buffer: slotName(role === "gradInput" ? from : to),
        bytes: this.#tensorBytes(tensor),
      }),
    };
  }

  /** Makes room for what the node saves and scratches, and resolves its tensors. */
  #step(
    index: number,
    time: number,
    direction: "forward" | "backward",
    work: (accumulate: boolean) => OpWork,
    contributions: readonly number[] = [],
  ): Step {
    const node = this.#graph.nodes[index]!;
    const { scratchBytes = [], savedBytes = [] } = work(false);
    const scratch = scratchBytes.map((bytes) => this.#region(bytes, time, "scratch"));
    const lastTime = this.#hasBackward ? 2 * this.#graph.nodes.length - 1 - index : time;
    const saved = direction === "forward"
      ? savedBytes.map((bytes) => this.#region(bytes, time, "saved", lastTime))
      : this.#saved.get(index) ?? [];
    if (direction === "forward") this.#saved.set(index, saved);
    const regionOf: Partial<Record<Role, (index: number) => number | undefined>> = {
      input: (i) => this.#activations.get(node.inputs[i]!.id),
      output: (i) => this.#activations.get(this.#finalOutput(index, i).id),
      gradInput: (i) => contributions[i],
      gradOutput: (i) => this.#gradients.get(node.outputs[i]!.id),
      saved: (i) => saved[i],
      scratch: (i) => scratch[i],
    };
    const place: Step["place"] = ({ role, index: i }, slotName, range) => {
      if (role === "parameter" || role === "gradParameter") {
        const slot = this.#arena.slots.find((slot) => slot.node === index && slot.index === i)!;
        const { buffer, share } = this.#arenaOf(role);
        return {
          buffer,
          offset: share * slot.offset + (range.offset ?? 0),
          size: range.size ?? share * slot.size,
          bytes: share * slot.size,
        };
      }
      if (role === "step" || role === "labels" || role === "losses" || role === "lossScale") {
        return { buffer: role, bytes: 0 };
      }
      const region = regionOf[role]!(i);
      if (region === undefined || region < 0) {
        throw new RangeError(
          `Cannot plan ${node.name}: it uses ${role} ${i}, which does not exist`,
        );
      }
      return { buffer: slotName(region), bytes: this.#regions[region]!.bytes };
    };
    const written = (what: string, role: Role, i: number) => (slotName: SlotName) => {
      const { buffer, offset = 0, bytes } = place({ role, index: i }, slotName, {});
      const { precision = "f32" } = this.#options.target;
      const exact = role === "gradParameter" || (role === "output" && node.op.exactOutputs);
      return { what, buffer, offset, size: bytes, precision: exact ? "f32" as const : precision };
    };
    const results = direction === "forward"
      ? node.outputs.map((_, i) => written(`the activation of ${node.name}`, "output", i))
      : [
        ...node.parameters.map(({ name }, i) =>
          written(`the gradient of ${node.name}.${name}`, "gradParameter", i)
        ),
        ...node.inputs.flatMap((_, i) =>
          (contributions[i] ?? -1) < 0
            ? []
            : [written(`the gradient that ${node.name} passes down`, "gradInput", i)]
        ),
      ];
    return {
      node: node.name,
      direction,
      dispatches: (accumulate) => work(accumulate).dispatches,
      place,
      writes: (slotName) => results.map((result) => result(slotName)),
    };
  }

  readonly #saved = new Map<number, number[]>();

  #context(index: number, accumulate: boolean): OpContext {
    const node = this.#graph.nodes[index]!;
    const { target, batch, training, lossBatch = batch } = this.#options;
    return {
      target,
      batch,
      inputs: node.inputs.map(({ shape }) => shape),
      outputs: node.outputs.map(({ shape }) => shape),
      training,
      fusedRelu: this.#isFused(index + 1),
      needsGradInput: node.inputs.map(({ id }) => this.#needsGradient.has(id)),
      accumulate,
      lossBatch,
      stream: index,
    };
  }

  /** Whether this node is a Relu which the node just before it applies as it stores. */
  #isFused(index: number): boolean {
    const node = this.#graph.nodes[index];
    const before = this.#graph.nodes[index - 1];
    if (node?.op.type !== "Relu" || !before?.op.canFuseRelu) return false;
    const [input] = node.inputs;
    return before.outputs[0] === input && before.outputs.length === 1 &&
      this.#consumers.get(input!.id)!.length === 1 && !before.op.backwardReads.outputs;
  }

  /** A node's output, or that of the Relu fused to it: the same memory. */
  #finalOutput(index: number, output: number): Tensor {
    return this.#graph.nodes[this.#isFused(index + 1) ? index + 1 : index]!.outputs[output]!;
  }

  /** The buffer of an arena, and what share of the float32 arena's bytes it has. */
  #arenaOf(role: "parameter" | "gradParameter"): { buffer: BufferName; share: number } {
    if (role === "gradParameter") return { buffer: "gradients", share: 1 };
    const share = bytesOf(this.#options.target.precision) / 4;
    return { buffer: share === 1 ? "parameters" : "halfParameters", share };
  }

  #tensorBytes({ id, shape }: Tensor): number {
    const producer = this.#graph.nodes.find(({ outputs }) => outputs.some((own) => own.id === id));
    const bytes = outputBytes(producer?.op ?? null, this.#options.target);
    return this.#options.batch * floatsOf(shape) * bytes;
  }

  #region(
    bytes: number,
    time: number,
    kind: keyof Plan["bytes"],
    to = time,
  ): number {
    this.#bytes[kind] += bytes;
    this.#regions.push({ bytes: Math.max(bytes, MINIMUM_BYTES), from: time, to });
    return this.#regions.length - 1;
  }

  #use(tensor: Tensor, time: number): void {
    this.#extend(this.#activations.get(tensor.id), time);
  }

  #extend(region: number | undefined, time: number): void {
    if (region === undefined) return;
    const own = this.#regions[region]!;
    own.to = Math.max(own.to, time);
  }
}

type SlotName = (region: number) => BufferName;

interface Step {
  readonly node: string;
  readonly direction: "forward" | "backward";
  dispatches(accumulate: boolean): OpDispatch[];
  place(
    ref: TensorRef,
    slotName: SlotName,
    range: { readonly offset?: number; readonly size?: number },
  ): Binding<BufferName> & { readonly bytes: number };
  writes(slotName: SlotName): WrittenTensor[];
}

function isFlatten(node: GraphNode): boolean {
  return node.op.type === "Flatten";
}
