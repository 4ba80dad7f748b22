/**
 * A network as a directed acyclic graph of operators over named tensors, built in an order in which
 * every tensor exists before it is used. Shapes are worked out as nodes are added.
 * @module
 */
import type { Op, ParameterSpec, Shape } from "../ops/op.ts";

/** One tensor of the graph, for one image. */
export interface Tensor {
  readonly id: number;
  readonly shape: Shape;
}

export interface GraphNode {
  readonly name: string;
  readonly op: Op;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly parameters: readonly ParameterSpec[];
}

export class Graph {
  readonly name: string;
  readonly input: Tensor;
  readonly tensors: Tensor[] = [];
  readonly nodes: GraphNode[] = [];

  constructor(name: string, input: Shape) {
    this.name = name;
    this.input = this.#tensor(input);
  }

  /** The output of the last node. */
  get output(): Tensor {
    return this.nodes.at(-1)?.outputs[0] ?? this.input;
  }

  /**
   * Adds an operator with one output and gives that output.
   *
   * @throws {RangeError} where the name is taken, an input is of another graph or the operator
   * refuses the shapes; the message names the node.
   */
  add(name: string, op: Op, ...inputs: Tensor[]): Tensor {
    return this.addAll(name, op, ...inputs)[0]!;
  }

  /** As {@link add}, for an operator with several outputs. */
  addAll(name: string, op: Op, ...inputs: Tensor[]): Tensor[] {
    if (this.nodes.some((node) => node.name === name)) {
      throw new RangeError(`Cannot add ${name} to ${this.name}: there is a node of that name`);
    }
    if (inputs.some((tensor) => this.tensors[tensor.id] !== tensor)) {
      throw new RangeError(`Cannot add ${name} to ${this.name}: an input is of another graph`);
    }
    const shapes = inputs.map((tensor) => tensor.shape);
    try {
      const outputs = op.outputShapes(shapes).map((shape) => this.#tensor(shape));
      this.nodes.push({ name, op, inputs, outputs, parameters: op.parameters(shapes) });
      return outputs;
    } catch (error) {
      throw new RangeError(`Cannot add ${name} to ${this.name}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  #tensor(shape: Shape): Tensor {
    const tensor = { id: this.tensors.length, shape };
    this.tensors.push(tensor);
    return tensor;
  }
}

/** Weights and biases as ONNX counts them, padding left out. */
export function parameterCount(graph: Graph): number {
  return graph.nodes.flatMap((node) => node.parameters).reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
}

/** Multiply-adds of one image, forward. */
export function multiplyAdds(graph: Graph): number {
  return graph.nodes.reduce((sum, node) => sum + nodeMultiplyAdds(node), 0);
}

export function nodeMultiplyAdds({ op, inputs }: GraphNode): number {
  return op.multiplyAdds(inputs.map((tensor) => tensor.shape));
}
