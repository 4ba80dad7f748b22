import { assert, assertEquals } from "@std/assert";
import * as ort from "onnxruntime-web";
import { ONNX_OPSET, type OnnxModel, type OnnxTensor } from "../shared/onnx/onnx_node.ts";
import { decodeOnnx } from "../shared/onnx/read.ts";
import { encodeOnnx } from "../training/onnx/write.ts";
import { type Fixture, readFixture } from "./fixtures/read_fixture.ts";

ort.env.wasm.numThreads = 1; // more would leave workers behind, which the test runner reports

const MODELS = new URL("../../shared/data/models/", import.meta.url);

/** The network of tests/fixtures/make_onnx_graph.py, written down by hand. */
function handMadeModel({ tensors }: Fixture): OnnxModel {
  const weight = (name: string): OnnxTensor => {
    const { shape, data } = tensors.get(name)!;
    return { name, dims: shape, data };
  };
  const node = (opType: string, inputs: string[], outputs: string[], attributes = {}) => ({
    opType,
    name: outputs.join(),
    inputs,
    outputs,
    attributes,
  });
  const lrn = {
    size: { int: 5 },
    alpha: { float: 0.5 },
    beta: { float: 0.75 },
    bias: { float: 2 },
  };
  return {
    graphName: "hand_made",
    inputs: [{ name: "x", shape: ["N", 4, 9, 11] }],
    outputs: [{ name: "probabilities", shape: ["N", 5] }],
    nodes: [
      node("Conv", ["x", "conv.weight", "conv.bias"], ["conv"], {
        kernel_shape: { ints: [3, 3] },
        strides: { ints: [2, 2] },
        pads: { ints: [0, 0, 1, 2] },
        group: { int: 2 },
      }),
      node("Split", ["conv", "towers"], ["tower1", "tower2"], { axis: { int: 1 } }),
      node("LRN", ["tower1"], ["norm1"], lrn),
      node("LRN", ["tower2"], ["norm2"], lrn),
      node("Concat", ["norm1", "norm2"], ["norm"], { axis: { int: 1 } }),
      node("MaxPool", ["norm"], ["pool"], {
        kernel_shape: { ints: [3, 3] },
        strides: { ints: [2, 2] },
        ceil_mode: { int: 1 },
      }),
      node("Relu", ["pool"], ["relu"]),
      node("Flatten", ["relu"], ["flat"], { axis: { int: 1 } }),
      node("Gemm", ["flat", "fc.weight", "fc.bias"], ["logits"], { transB: { int: 1 } }),
      node("Softmax", ["logits"], ["probabilities"], { axis: { int: -1 } }),
    ],
    initializers: [
      ...["conv.weight", "conv.bias", "fc.weight", "fc.bias"].map(weight),
      { name: "towers", dims: [2], data: new BigInt64Array([3n, 3n]) },
    ],
    opset: ONNX_OPSET,
    producerName: "topfive",
    producerVersion: "0.0.0",
    metadata: { labels: '["a","b","c","d","e"]' },
    docString: "",
  };
}

/** The only output of a file for one input, computed by ONNX Runtime. */
async function run(file: Uint8Array, dims: number[], data: Float32Array): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(file);
  try {
    const outputs = await session.run({
      [session.inputNames[0]!]: new ort.Tensor("float32", data, dims),
    });
    return outputs[session.outputNames[0]!]!.data as Float32Array;
  } finally {
    await session.release();
  }
}

Deno.test("encodeOnnx() writes what ONNX Runtime computes as PyTorch does", async () => {
  const fixture = await readFixture("onnx_graph");
  const { shape, data } = fixture.tensors.get("x")!;
  const expected = fixture.tensors.get("probabilities")!.data;
  const actual = await run(encodeOnnx(handMadeModel(fixture)), shape, data);
  assertEquals(actual.length, expected.length);
  const error = Math.max(...actual.map((value, i) => Math.abs(value - expected[i]!)));
  assert(error < 1e-6, `probabilities differ by ${error}`);
});

for (
  const { path, input } of [
    { path: "squeezenet10-deepcompression/squeezenet1.0-dc.onnx", input: [2, 3, 227, 227] },
    { path: "mnist-onnx/mnist.onnx", input: [1, 1, 28, 28] },
  ]
) {
  const url = new URL(path, MODELS);
  const exists = await Deno.stat(url).then(() => true, () => false);
  Deno.test({
    name: `decodeOnnx() and encodeOnnx() keep every answer of ${path}`,
    ignore: !exists,
    fn: async () => {
      const original = await Deno.readFile(url);
      const rewritten = encodeOnnx(decodeOnnx(original));
      const length = input.reduce((product, size) => product * size, 1);
      const data = Float32Array.from({ length }, (_, i) => 100 * Math.sin(i * 0.7 + i * i * 1e-5));
      const expected = await run(original, input, data);
      assert(new Set(expected).size > 5, "the answer does not depend on the weights");
      assertEquals(await run(rewritten, input, data), expected);
    },
  });
}
