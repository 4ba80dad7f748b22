// ONNX Runtime is the judge: a graph that names places in the file must answer as the whole file does.
import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import * as ort from "onnxruntime-web";
import { exportedInput, exportedModel } from "../../tests/fixtures/exported.ts";
import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "../../shared/onnx/onnx_pb.ts";
import { FileBytes } from "./file_bytes.ts";
import { rewriteLrn } from "./rewrite_lrn.ts";
import { splitWeights, WEIGHTS_FILE } from "./split_weights.ts";
import { readWeightsFile } from "./weights_file.ts";

ort.env.wasm.numThreads = 1; // more would leave workers behind, which the test runner reports

async function answer(
  model: Uint8Array,
  { dims, data }: { dims: readonly number[]; data: Float32Array },
  external?: Uint8Array,
): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ["wasm"],
    ...(external ? { externalData: [{ path: WEIGHTS_FILE, data: external }] } : {}),
  });
  const input = new ort.Tensor("float32", data, dims);
  const results = await session.run({ [session.inputNames[0]!]: input });
  await session.release();
  return results[session.outputNames[0]!]!.data as Float32Array;
}

Deno.test("splitWeights() gives a small graph that answers to the bit, from memory and from a file", async () => {
  const file = exportedModel("alexnet-small");
  const input = exportedInput("alexnet-small");
  const expected = await answer(file, input);
  const graph = splitWeights(file);
  assertLess(graph.length, 10_000);
  assertEquals(await answer(graph, input, file), expected);
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, file);
    using bytes = new FileBytes(path);
    assertEquals([bytes.byteLength, bytes.length], [file.length, file.length]);
    assertEquals(await answer(graph, input, bytes), expected);
    assertThrows(() => bytes.subarray(0, file.length + 1), RangeError, "became shorter");
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("splitWeights() refuses what is no ONNX file", () => {
  assertThrows(() => splitWeights(new Uint8Array(64).fill(7)), SyntaxError, "it is no ONNX file");
});

Deno.test("rewriteLrn() leaves no LRN, and answers within 1e-6, both towers alike", async () => {
  for (const name of ["alexnet-small", "alexnet-tiny", "cifar10-18pct"] as const) {
    const file = exportedModel(name);
    const input = exportedInput(name);
    const operators = (bytes: Uint8Array) =>
      fromBinary(ModelProtoSchema, bytes).graph!.node.map(({ opType }) => opType);
    const graph = splitWeights(file, (model) => rewriteLrn(model.graph!));
    if (name.startsWith("alexnet")) assert(operators(file).includes("LRN"), name);
    assertEquals(operators(graph).includes("LRN"), false);
    const [expected, found] = [await answer(file, input), await answer(graph, input, file)];
    const error = expected.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - found[i]!)),
      0,
    );
    assertLess(error, 1e-6, name);
  }
});

Deno.test("readWeightsFile() gives what was published and nothing else", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "abc");
    // FIPS 180-2, appendix B.1.
    const sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assertEquals(new TextDecoder().decode(await readWeightsFile({ path, sha256 })), "abc");
    await Deno.writeTextFile(path, "abd");
    await assertRejects(() => readWeightsFile({ path, sha256 }), Error, "has SHA-256");
  } finally {
    await Deno.remove(path);
  }
});
