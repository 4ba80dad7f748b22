import type { OnnxNode } from "../../../shared/onnx/onnx_node.ts";
import type { Lowering } from "../lowering.ts";
import { lowerConcat, lowerSplit } from "./channels.ts";
import { lowerBinary, lowerUnary } from "./elementwise.ts";
import { lowerLrn } from "./lrn.ts";
import { lowerPool } from "./pool.ts";
import { lowerProduct } from "./product.ts";
import { lowerFlatten, lowerQuantize, lowerSoftmax } from "./vector.ts";

/** Turns one node into steps. @throws {UnsupportedError} where its attributes are not known. */
export type Lower = (node: OnnxNode, lowering: Lowering) => void;

/** The operators of the lean session, by their ONNX names. */
export const OPERATORS: ReadonlyMap<string, Lower> = new Map<string, Lower>([
  ["Add", lowerBinary],
  ["AveragePool", lowerPool],
  ["Clip", (node, lowering) => {
    // A Clip is known in front of a QuantizeLinear alone.
    lowerQuantize(node, lowering);
  }],
  ["Concat", lowerConcat],
  ["Conv", lowerProduct],
  ["Div", lowerBinary],
  ["Dropout", rename],
  ["Flatten", lowerFlatten],
  ["Gemm", lowerProduct],
  ["GlobalAveragePool", lowerPool],
  ["Identity", rename],
  ["LRN", lowerLrn],
  ["MatMul", lowerProduct],
  ["MaxPool", lowerPool],
  ["Mul", lowerBinary],
  ["Pow", lowerBinary],
  ["QuantizeLinear", lowerQuantize],
  ["Relu", lowerUnary],
  ["Reshape", lowerFlatten],
  ["Softmax", lowerSoftmax],
  ["Split", lowerSplit],
  ["Sub", lowerBinary],
  ["Tanh", lowerUnary],
]);

/** Dropout at inference, and Identity: the same tensor under another name. */
function rename(node: OnnxNode, lowering: Lowering): void {
  lowering.name(node.outputs[0]!, lowering.value(node.inputs[0]!));
}
