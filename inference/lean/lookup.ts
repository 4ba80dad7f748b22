import type { OnnxNode, OnnxTensor } from "../../shared/onnx/onnx_node.ts";
import { UnsupportedError } from "./unsupported.ts";

/** Who makes and who reads each tensor. */
export class Lookup {
  readonly nodes: readonly OnnxNode[];
  readonly #producers = new Map<string, OnnxNode>();
  readonly #consumers = new Map<string, OnnxNode[]>();

  constructor(nodes: readonly OnnxNode[]) {
    this.nodes = nodes;
    for (const node of nodes) {
      for (const output of node.outputs) this.#producers.set(output, node);
      for (const input of new Set(node.inputs)) {
        const consumers = this.#consumers.get(input);
        if (consumers) consumers.push(node);
        else this.#consumers.set(input, [node]);
      }
    }
  }

  producer(name: string): OnnxNode | undefined {
    return this.#producers.get(name);
  }

  consumers(name: string): readonly OnnxNode[] {
    return this.#consumers.get(name) ?? [];
  }

  /** The one node that reads the tensor, if there is exactly one. */
  onlyConsumer(name: string): OnnxNode | undefined {
    const consumers = this.consumers(name);
    return consumers.length === 1 ? consumers[0] : undefined;
  }
}

/** An integer attribute, or its default. */
export function intOf(node: OnnxNode, name: string, otherwise: number): number {
  const attribute = node.attributes[name];
  return attribute && "int" in attribute ? attribute.int : otherwise;
}

export function floatOf(node: OnnxNode, name: string, otherwise: number): number {
  const attribute = node.attributes[name];
  return attribute && "float" in attribute ? attribute.float : otherwise;
}

export function intsOf(node: OnnxNode, name: string, otherwise: readonly number[]): number[] {
  const attribute = node.attributes[name];
  return [...attribute && "ints" in attribute ? attribute.ints : otherwise];
}

export function stringOf(node: OnnxNode, name: string, otherwise: string): string {
  const attribute = node.attributes[name];
  return attribute && "string" in attribute ? attribute.string : otherwise;
}

/** @throws {UnsupportedError} naming the node, unless `supported`. */
export function need(node: OnnxNode, supported: boolean, what: string): asserts supported {
  if (supported) return;
  throw new UnsupportedError(`${node.opType} ${node.name || node.outputs[0]}: ${what}`);
}

/** Numbers of a constant as float32. */
export function numbersOf({ data }: OnnxTensor): Float32Array {
  if (data instanceof Float32Array) return data;
  return data instanceof BigInt64Array ? Float32Array.from(data, Number) : new Float32Array(data);
}
