import type { OnnxModel, OnnxNode, OnnxTensor } from "../../shared/onnx/onnx_node.ts";

/**
 * The model with each Gemm of constant weights written as MatMul and Add: ONNX Runtime has fast
 * 8-bit kernels for MatMul, and runs a quantised Gemm on its slow path (2026-11).
 */
export function gemmToMatMul(model: OnnxModel): OnnxModel {
  const constants = new Map(model.initializers.map((tensor) => [tensor.name, tensor]));
  const replaced = new Map<string, OnnxTensor>();
  const nodes = model.nodes.flatMap((node) => {
    const weights = constants.get(node.inputs[1] ?? "");
    if (!isPlainGemm(node) || !(weights?.data instanceof Float32Array)) return [node];
    if (isSet(node, "transB")) replaced.set(weights.name, transposed(weights));
    return matMulAndAdd(node);
  });
  const initializers = model.initializers.map((tensor) => replaced.get(tensor.name) ?? tensor);
  return { ...model, nodes, initializers };
}

/** y = x W (+ b), without a factor and with x as it is. */
function isPlainGemm(node: OnnxNode): boolean {
  const { alpha, beta } = node.attributes;
  const isOne = (factor: typeof alpha) => !factor || ("float" in factor && factor.float === 1);
  return node.opType === "Gemm" && isOne(alpha) && isOne(beta) && !isSet(node, "transA");
}

function isSet({ attributes }: OnnxNode, name: string): boolean {
  const attribute = attributes[name];
  return attribute !== undefined && "int" in attribute && attribute.int !== 0;
}

function matMulAndAdd({ name, inputs: [x, weights, bias], outputs }: OnnxNode): OnnxNode[] {
  const product = bias ? `${outputs[0]}/product` : outputs[0]!;
  const matMul: OnnxNode = {
    opType: "MatMul",
    name: `${name}/matmul`,
    inputs: [x!, weights!],
    outputs: [product],
    attributes: {},
  };
  if (!bias) return [matMul];
  const add = { ...matMul, opType: "Add", name: `${name}/add`, inputs: [product, bias], outputs };
  return [matMul, add];
}

/** [rows, columns] to [columns, rows]. */
function transposed({ name, dims, data }: OnnxTensor): OnnxTensor {
  const [rows, columns] = [dims[0]!, dims[1]!];
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = data[row * columns + column] as number;
    }
  }
  return { name, dims: [columns, rows], data: turned };
}
