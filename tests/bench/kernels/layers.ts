/** The layers that are measured, read off the networks themselves. */
import type { Graph, GraphNode } from "../../../training/graph/graph.ts";
import { alexnet } from "../../../training/models/alexnet.ts";
import { alexnetOwt } from "../../../training/models/alexnet_owt.ts";
import { cifar10EighteenPercent } from "../../../training/models/cifar10_18pct.ts";
import type { OnnxAttribute } from "../../../shared/onnx/onnx_node.ts";
import type { Op, Shape } from "../../../training/ops/op.ts";

/** A convolution; a fully connected layer is one of 1x1 on one pixel. */
export interface Layer {
  /** "alexnet conv1" */
  readonly name: string;
  /** The network that it is of. */
  readonly graph: Graph;
  readonly kind: "Conv" | "Gemm";
  readonly op: Op;
  readonly input: Shape;
  readonly output: Shape;
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  /** [top, left, bottom, right] */
  readonly pads: readonly [number, number, number, number];
  readonly group: number;
  /** Of one image, in each direction. */
  readonly multiplyAdds: number;
  /** The first layer of a network never computes the gradient of its input. */
  readonly first: boolean;
}

/**
 * Every convolution and fully connected layer of the three networks; alexnet-owt's fully connected
 * ones are alexnet's.
 */
export function benchLayers(): Layer[] {
  const owt = layersOf(alexnetOwt.build(1000)).filter(({ kind }) => kind === "Conv");
  return [...layersOf(alexnet.build(1000)), ...owt, ...layersOf(cifar10EighteenPercent.build(10))];
}

function layersOf(graph: Graph): Layer[] {
  const nodes = graph.nodes.filter(({ op }) => op.type === "Conv" || op.type === "Gemm");
  return nodes.map((node) => layerOf(graph, node));
}

function layerOf(graph: Graph, { name, op, inputs, outputs, parameters }: GraphNode): Layer {
  const input = inputs[0]!.shape;
  const output = outputs[0]!.shape;
  const { nodes: [exported] } = op.toOnnx({
    name,
    inputs: ["x"],
    outputs: ["y"],
    inputShapes: [input],
    outputShapes: [output],
    parameters: parameters.map(({ name }) => ({ name, values: new Float32Array() })),
  });
  const attributes = exported!.attributes;
  return {
    name: `${graph.name} ${name}`,
    graph,
    kind: op.type as Layer["kind"],
    op,
    input,
    output,
    kernel: integers(attributes.kernel_shape, [1, 1]) as [number, number],
    strides: integers(attributes.strides, [1, 1]) as [number, number],
    pads: integers(attributes.pads, [0, 0, 0, 0]) as [number, number, number, number],
    group: attributes.group && "int" in attributes.group ? attributes.group.int : 1,
    multiplyAdds: op.multiplyAdds([input]),
    first: inputs[0]!.id === graph.input.id,
  };
}

function integers(attribute: OnnxAttribute | undefined, fallback: number[]): readonly number[] {
  return attribute && "ints" in attribute ? attribute.ints : fallback;
}
