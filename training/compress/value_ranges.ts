import type { PreprocessSpec } from "../../shared/image/preprocess.ts";
import type { OnnxModel, OnnxNode } from "../../shared/onnx/onnx_node.ts";

/** Operators whose output is not negative, whatever they are given. */
const POSITIVE = ["Relu", "Sigmoid", "Softmax", "Abs", "Exp"];
/** Operators that move numbers or average them: no sign is new, and nothing is larger than it was. */
const MOVING = [
  "MaxPool",
  "AveragePool",
  "GlobalAveragePool",
  "Dropout",
  "Flatten",
  "Reshape",
  "Split",
  "Identity",
  "Squeeze",
  "Transpose",
];
/** Operators whose output is not negative where none of their inputs is. */
const KEEPING_SIGN = ["Concat", "Add", "Mul", "Div", "Max"];

/** Whether a tensor can be negative, by how it is made and not by what a few images showed. */
export function mayBeNegative(model: OnnxModel, tensor: string): boolean {
  const constant = model.initializers.find(({ name }) => name === tensor)?.data;
  if (constant) return constant.some((value) => value < 0);
  const node = model.nodes.find(({ outputs }) => outputs.includes(tensor));
  if (node === undefined) return true;
  const { opType, inputs } = node;
  if (POSITIVE.includes(opType) || isSquare(node)) return false;
  const negative = (input: string) => mayBeNegative(model, input);
  if (KEEPING_SIGN.includes(opType)) return inputs.some(negative);
  // LRN divides by a positive number; a power of a positive base is positive; of the rest, what
  // follows the first input are sizes and axes.
  return ["LRN", "Pow", ...MOVING].includes(opType) ? negative(inputs[0]!) : true;
}

function isSquare({ opType, inputs: [a, b] }: OnnxNode): boolean {
  return opType === "Mul" && a === b;
}

/**
 * The largest magnitude that preprocessing can give a tensor in front of the first layer, over every
 * value of a pixel; undefined for a tensor behind a layer, which only calibration knows.
 */
export function inputBound(
  model: OnnxModel,
  tensor: string,
  spec: Pick<PreprocessSpec, "mean" | "std">,
): number | undefined {
  if (model.inputs.some(({ name }) => name === tensor)) {
    return Math.max(
      ...spec.mean.flatMap((mean, c) => [0, 255].map((v) => Math.abs(v - mean) / spec.std[c]!)),
    );
  }
  const node = model.nodes.find(({ outputs }) => outputs.includes(tensor));
  const bound = node && inputBound(model, node.inputs[0]!, spec);
  if (node === undefined || bound === undefined) return undefined;
  if (MOVING.includes(node.opType)) return bound;
  const constant = model.initializers.find(({ name }) => name === node.inputs[1])?.data;
  if (!["Sub", "Add"].includes(node.opType) || !(constant instanceof Float32Array)) {
    return undefined;
  }
  return bound + constant.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
