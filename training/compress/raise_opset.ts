import { INT4_OPSET, type OnnxModel, type OnnxNode } from "../../shared/onnx/onnx_node.ts";

/** Operators whose nodes say the same in the operator sets from 13 to 21 (ONNX's Changelog.md). */
// deno-fmt-ignore
const UNCHANGED = new Set([
  "Add", "AveragePool", "BatchNormalization", "Cast", "Clip", "Concat", "Conv", "DequantizeLinear",
  "Div", "Dropout", "Flatten", "Gemm", "GlobalAveragePool", "Identity", "LRN", "MatMul", "MaxPool",
  "Mul", "Pow", "QuantizeLinear", "Relu", "Reshape", "Sigmoid", "Softmax", "Sub", "Tanh", "Transpose",
]);

/**
 * The same model asking for the operator set that has 4-bit integers.
 *
 * @throws {RangeError} where an operator may mean something else there.
 */
export function raiseOpset(model: OnnxModel): OnnxModel {
  if (model.opset >= INT4_OPSET) return model;
  const changed = model.nodes.find((node) => !UNCHANGED.has(node.opType) && !isSplitBySizes(node));
  if (changed) {
    throw new RangeError(
      `Cannot write the model for operator set ${INT4_OPSET}: ${changed.opType} is not known to ` +
        "mean the same there (leave int4 out with --forms)",
    );
  }
  return { ...model, opset: INT4_OPSET };
}

/** Without sizes Split asks for an attribute from set 18 on. */
function isSplitBySizes({ opType, inputs }: OnnxNode): boolean {
  return opType === "Split" && Boolean(inputs[1]);
}
