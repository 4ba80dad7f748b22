/**
 * A trained graph as an ONNX model: what evaluation computes, without anything of training.
 * @module
 */
import type { Graph, Tensor } from "../graph/graph.ts";
import type { ParameterValues } from "../graph/parameters.ts";
import type { OnnxPart } from "../ops/op.ts";
import { ONNX_OPSET, type OnnxModel } from "../../shared/onnx/onnx_node.ts";

export const INPUT_NAME = "input";
export const OUTPUT_NAME = "probabilities";

const CENTRED_NAME = "input_centred";

interface Producer {
  readonly version: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** [channels, height, width], subtracted from each image: see `residualOf`. */
  readonly inputOffset?: Float32Array | undefined;
}

/**
 * The model with input "input" [N, channels, height, width] and output "probabilities" [N, classes].
 *
 * @param values of every parameter, in ONNX's layout
 * @throws {RangeError} on a missing parameter, by name.
 */
export function exportOnnx(
  graph: Graph,
  values: ParameterValues,
  producer: Producer,
): OnnxModel {
  const { channels, height, width } = graph.input.shape;
  const imageShape = [channels, height, width];
  const offset = producer.inputOffset && subtractOffset(producer.inputOffset, imageShape);
  const names = new Map<number, string>([
    [graph.input.id, offset ? CENTRED_NAME : INPUT_NAME],
    [graph.output.id, OUTPUT_NAME],
  ]);
  const nameOf = (tensor: Tensor) => names.get(tensor.id)!;
  const parts = graph.nodes.map((node) => {
    node.outputs.forEach((tensor, index) => {
      const suffix = node.outputs.length > 1 ? `_${index}` : "";
      if (!names.has(tensor.id)) names.set(tensor.id, `${node.name}${suffix}`);
    });
    const parameters = node.parameters.map((spec) => {
      const name = `${node.name}.${spec.name}`;
      const own = values.get(name);
      if (!own) throw new RangeError(`Cannot export ${graph.name}: parameter ${name} is missing`);
      return { name, values: own };
    });
    return node.op.toOnnx({
      name: node.name,
      inputs: node.inputs.map(nameOf),
      outputs: node.outputs.map(nameOf),
      inputShapes: node.inputs.map(({ shape }) => shape),
      outputShapes: node.outputs.map(({ shape }) => shape),
      parameters,
    });
  });
  if (offset) parts.unshift(offset);
  return {
    graphName: graph.name,
    inputs: [{ name: INPUT_NAME, shape: ["N", ...imageShape] }],
    outputs: [{ name: OUTPUT_NAME, shape: ["N", graph.output.shape.channels] }],
    nodes: parts.flatMap(({ nodes }) => nodes),
    initializers: parts.flatMap(({ initializers }) => initializers),
    opset: ONNX_OPSET,
    producerName: "topfive",
    producerVersion: producer.version,
    metadata: producer.metadata,
    docString: "",
  };
}

/** The first node, of a network that was trained on images less a mean image. */
function subtractOffset(values: Float32Array, dims: readonly number[]): OnnxPart {
  const name = "input_offset";
  return {
    nodes: [{
      opType: "Sub",
      name: "centre",
      inputs: [INPUT_NAME, name],
      outputs: [CENTRED_NAME],
      attributes: {},
    }],
    initializers: [{ name, dims, data: values }],
  };
}
