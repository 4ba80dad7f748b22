import type { OnnxModel, OnnxNode, OnnxTensor } from "../../shared/onnx/onnx_node.ts";

/** Data type of ONNX's Cast: TensorProto.DataType.FLOAT. */
const FLOAT = 1;

/** Below this many numbers a tensor is not worth a Cast: biases, sizes. */
const LEAST_NUMBERS = 1024;

/**
 * The model with its weights stored as float16 and cast back where they are used: half the bytes.
 * Everything is still computed in float32, for WebAssembly has no arithmetic of half precision.
 *
 * @throws {RangeError} for a weight that float16 cannot hold (above 65,504).
 */
export function storeAsFloat16(model: OnnxModel): OnnxModel {
  const casts: OnnxNode[] = [];
  const initializers = model.initializers.map((tensor): OnnxTensor => {
    const { name, dims, data } = tensor;
    if (!(data instanceof Float32Array) || data.length < LEAST_NUMBERS) return tensor;
    const half = Float16Array.from(data);
    const lost = half.findIndex((value, i) => !Number.isFinite(value) && Number.isFinite(data[i]));
    if (lost >= 0) {
      throw new RangeError(
        `Cannot store ${name} as float16: ${data[lost]} is above its largest number, 65504`,
      );
    }
    const stored = `${name}/float16`;
    casts.push({
      opType: "Cast",
      name: `${name}/cast`,
      inputs: [stored],
      outputs: [name],
      attributes: { to: { int: FLOAT } },
    });
    return { name: stored, dims, data: half };
  });
  return { ...model, nodes: [...casts, ...model.nodes], initializers };
}
