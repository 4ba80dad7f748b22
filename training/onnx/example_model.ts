import { ONNX_OPSET, type OnnxModel } from "../../shared/onnx/onnx_node.ts";

/** Tests only: every kind of thing the format has a place for; lengths of one and two bytes. */
export function everything(): OnnxModel {
  return {
    graphName: "g",
    inputs: [
      { name: "x", shape: ["N", 3, 0, ""] },
      { name: "shape", shape: [2], elementType: "INT64" },
      { name: "scalar", shape: [], elementType: "INT32" },
    ],
    outputs: [{ name: "y", shape: ["N", 10] }],
    nodes: [
      {
        opType: "Conv",
        name: "conv1",
        inputs: ["x", "w", ""],
        outputs: ["y"],
        attributes: {
          group: { int: 2 },
          negative: { int: -Number.MAX_SAFE_INTEGER },
          pads: { ints: [0, 0, 3, 3] },
          none: { ints: [] },
          alpha: { float: Math.fround(1e-4) },
          zero: { float: 0 },
          scales: { floats: [-0, 1.5, Infinity] },
          auto_pad: { string: "NOTSET – é" },
        },
      },
      { opType: "Identity", name: "n".repeat(300), inputs: [], outputs: [], attributes: {} },
    ],
    initializers: [
      { name: "w", dims: [2, 3], data: new Float32Array([1, -0, NaN, Infinity, 1e-45, 3.4e38]) },
      { name: "split", dims: [2], data: new BigInt64Array([-(2n ** 63n), 2n ** 63n - 1n]) },
      { name: "i", dims: [1], data: new Int32Array([-(2 ** 31)]) },
      { name: "half", dims: [3], data: Float16Array.of(1.5, -0, 65504) },
      { name: "signed", dims: [2], data: Int8Array.of(-128, 127) },
      { name: "unsigned", dims: [2], data: Uint8Array.of(0, 255) },
      { name: "one", dims: [], data: new Float32Array([7]) },
      { name: "empty", dims: [0, 4], data: new Float32Array() },
      // Starts in the middle of a larger buffer, as a parameter of an arena does.
      { name: "part", dims: [100], data: new Float32Array(300).fill(0.5).subarray(150, 250) },
    ],
    opset: ONNX_OPSET,
    producerName: "topfive",
    producerVersion: "0.1.0",
    metadata: { labels: '["cat","dög"]', ["__proto__"]: "own", empty: "" },
    docString: "two\nlines",
  };
}
