import type { OnnxNode, OnnxTensor } from "../../shared/onnx/onnx_node.ts";
import { intOf, type Lookup, need, numbersOf } from "./lookup.ts";
import type { Step } from "./step.ts";
import { UnsupportedError } from "./unsupported.ts";
import { Value } from "./value.ts";
import type { PackedWeights } from "./weights.ts";

/** How a tensor is stored as 7-bit numbers: stored = x / step + zero, held between low and 127. */
export interface Quantization {
  readonly step: number;
  /** 0, or 64 where numbers may be negative. */
  readonly zero: number;
  readonly low: number;
}

/** A tensor of the graph under the name by which later nodes read it. */
export interface Result {
  readonly name: string;
  readonly relu: boolean;
  readonly quantization: Quantization | undefined;
}

/** ONNX nodes become steps, one operator after another. */
export class Lowering {
  readonly lookup: Lookup;
  readonly steps: Step[] = [];
  readonly #values = new Map<string, Value>();
  readonly #tensors: ReadonlyMap<string, OnnxTensor>;
  readonly #packed: ReadonlyMap<string, PackedWeights>;
  readonly #outputs: ReadonlySet<string>;
  readonly #absorbed = new Set<OnnxNode>();

  constructor(model: {
    readonly lookup: Lookup;
    readonly tensors: ReadonlyMap<string, OnnxTensor>;
    readonly packed: ReadonlyMap<string, PackedWeights>;
    readonly outputs: readonly string[];
  }) {
    this.lookup = model.lookup;
    this.#tensors = model.tensors;
    this.#packed = model.packed;
    this.#outputs = new Set(model.outputs);
  }

  /** True where another node's step does this node's work too. */
  isAbsorbed(node: OnnxNode): boolean {
    return this.#absorbed.has(node);
  }

  absorb(node: OnnxNode): void {
    this.#absorbed.add(node);
  }

  /** A tensor that a step computes. */
  value(name: string): Value {
    const value = this.#values.get(name);
    if (value) return value;
    throw new UnsupportedError(`tensor ${name} is a constant or comes too late`);
  }

  hasValue(name: string): boolean {
    return this.#values.has(name);
  }

  name(name: string, value: Value): void {
    this.#values.set(name, value);
  }

  add(step: Step): void {
    this.steps.push(step);
  }

  /** True for a tensor that lies by itself, so that it may be made a part of another. */
  isOwn(value: Value): boolean {
    const [first] = this.steps;
    return !value.isPart && !first?.outputs.includes(value) &&
      this.steps.some(({ outputs }) => outputs.includes(value));
  }

  /** Weights that were packed as they arrived. */
  packed(name: string): PackedWeights | undefined {
    return this.#packed.get(name);
  }

  /**
   * A constant's numbers as float32, whatever it is stored as: behind Cast, DequantizeLinear and
   * Identity.
   */
  constant(name: string): { readonly dims: readonly number[]; readonly numbers: Float32Array } {
    const tensor = this.#tensors.get(name);
    if (tensor) return { dims: tensor.dims, numbers: numbersOf(tensor) };
    const node = this.lookup.producer(name);
    if (node?.opType === "Cast" || node?.opType === "Identity") {
      return this.constant(node.inputs[0]!);
    }
    if (node?.opType !== "DequantizeLinear") {
      throw new UnsupportedError(`tensor ${name} is not a constant`);
    }
    const { dims, numbers } = this.constant(node.inputs[0]!);
    const scales = this.constant(node.inputs[1]!).numbers;
    const zeros = node.inputs[2] ? this.constant(node.inputs[2]).numbers : undefined;
    const axis = node.attributes["axis"];
    const along = axis && "int" in axis ? axis.int : 1;
    const place = along < 0 ? along + dims.length : along;
    const run = dims.slice(place + 1).reduce((product, size) => product * size, 1);
    // One scale for all, for each place along the axis, or for each block of places.
    const block = intOf(node, "block_size", 0);
    const places = block > 0 ? Math.ceil(dims[place]! / block) * run : dims[place]! * run;
    const real = numbers.map((number, i) => {
      const before = Math.floor(i / (dims[place]! * run));
      const rest = i % (dims[place]! * run);
      const step = Math.floor(rest / run);
      const inBlocks = before * places + Math.floor(step / block) * run + rest % run;
      const s = block > 0 ? inBlocks : scales.length === 1 ? 0 : step;
      return (number - (zeros?.[s] ?? 0)) * scales[s]!;
    });
    return { dims, numbers: real };
  }

  isConstant(name: string): boolean {
    if (this.#tensors.has(name)) return true;
    const node = this.lookup.producer(name);
    return node !== undefined && ["Cast", "Identity", "DequantizeLinear"].includes(node.opType) &&
      this.isConstant(node.inputs[0]!);
  }

  /** The node that reads a tensor, if it is of that type and nothing else needs the tensor. */
  next(name: string, opType: string): OnnxNode | undefined {
    const node = this.#outputs.has(name) ? undefined : this.lookup.onlyConsumer(name);
    return node?.opType === opType && node.inputs[0] === name ? node : undefined;
  }

  /** The ReLU behind a tensor, taken into the step that computes it. */
  absorbRelu(name: string): { readonly name: string; readonly relu: boolean } {
    const node = this.next(name, "Relu");
    if (!node) return { name, relu: false };
    this.absorb(node);
    return { name: node.outputs[0]!, relu: true };
  }

  /** [Clip →] QuantizeLinear → DequantizeLinear behind a tensor, as the storage of its numbers. */
  absorbQuantization(
    name: string,
    nonNegative: boolean,
    /** Its numbers are known to fit: pixels, whose range the publisher knows. */
    fits = false,
  ): { readonly name: string; readonly quantization: Quantization } | undefined {
    const clip = this.next(name, "Clip");
    const quantize = this.next(clip?.outputs[0] ?? name, "QuantizeLinear");
    if (!quantize) return undefined;
    const dequantize = this.next(quantize.outputs[0]!, "DequantizeLinear");
    need(quantize, dequantize !== undefined, "DequantizeLinear is expected behind it");
    const [, step, zero] = quantize.inputs;
    const steps = this.constant(step!).numbers;
    need(quantize, steps.length === 1, "one step for each channel");
    const tensor = zero ? this.#tensors.get(zero) : undefined;
    const zeroPoint = tensor ? Number(tensor.data[0]) : 0;
    const signed = tensor?.data instanceof Int8Array;
    const [low, high] = clip
      ? [1, 2].map((i) => clip.inputs[i] ? this.constant(clip.inputs[i]).numbers[0]! : NaN)
      : [NaN, NaN];
    const stored = (limit: number) => Math.round(limit / steps[0]!) + zeroPoint;
    // Seven bits are all that the products take: int8 of what is never negative, or uint8 that was
    // clipped in front.
    const seven = (zeroPoint === 0 || zeroPoint === 64) &&
      (signed ? zeroPoint === 0 && nonNegative : fits || stored(high!) <= 127);
    need(quantize, seven, "its numbers may take more than 7 bits (clip them to 127 steps)");
    if (clip) this.absorb(clip);
    this.absorb(quantize);
    this.absorb(dequantize);
    const quantization = {
      step: steps[0]!,
      zero: zeroPoint,
      low: Math.max(0, Number.isNaN(low) ? 0 : stored(low!)),
    };
    return { name: dequantize.outputs[0]!, quantization };
  }
}

/** A tensor like another, under the same rules of sign. */
export function like(value: Value): Value {
  return new Value(value, { nonNegative: value.nonNegative });
}
