import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { everything } from "./example_model.ts";
import {
  type GraphProtoSchema,
  ModelProtoSchema,
  type TensorProtoSchema,
} from "../../shared/onnx/onnx_pb.ts";
import { decodeOnnx } from "../../shared/onnx/read.ts";
import { encodeOnnx } from "./write.ts";

/** A graph as another tool may have written it. */
function foreign(graph: MessageInitShape<typeof GraphProtoSchema>, irVersion = 7n): Uint8Array {
  const init = { irVersion, graph, opsetImport: [{ domain: "ai.onnx", version: 13n }] };
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, init));
}

function tensorModel(tensor: MessageInitShape<typeof TensorProtoSchema>): Uint8Array {
  return foreign({ initializer: [{ name: "w", dims: [2n], dataType: 1, ...tensor }] });
}

Deno.test("decodeOnnx() reads at every alignment, as views where it can", () => {
  const file = encodeOnnx(everything());
  let views = 0;
  for (let offset = 0; offset < 8; offset++) {
    const bytes = new Uint8Array(file.byteLength + offset).subarray(offset);
    bytes.set(file);
    const model = decodeOnnx(bytes);
    assertEquals(model, everything());
    views += model.initializers.filter(({ data }) => data.buffer === bytes.buffer).length;
  }
  // Of 8 offsets, 2 fit each of the four tensors of 4-byte elements that have bytes in the file, 1
  // the one of 8 bytes, 4 the one of 2 bytes, all the two of single bytes.
  assertEquals(views, 4 * 2 + 1 + 4 + 2 * 8);
});

Deno.test("decodeOnnx() reads numbers stored one by one", () => {
  const data = (tensor: MessageInitShape<typeof TensorProtoSchema>) =>
    decodeOnnx(tensorModel(tensor)).initializers[0]!.data;
  assertEquals(data({ floatData: [1.5, -2] }), new Float32Array([1.5, -2]));
  assertEquals(data({ dataType: 6, int32Data: [-1, 2] }), new Int32Array([-1, 2]));
  assertEquals(data({ dataType: 7, int64Data: [-1n, 2n] }), new BigInt64Array([-1n, 2n]));
  // Of 4 bits two numbers make one.
  assertEquals(data({ dataType: 22, int32Data: [0xe1] }), Int8Array.of(1, -2));
});

Deno.test("decodeOnnx() leaves out weights which IR 3 had to list as inputs", () => {
  const type = { value: { case: "tensorType" as const, value: { elemType: 1, shape: {} } } };
  const graph = {
    input: [{ name: "x", type }, { name: "w", type }],
    initializer: [{ name: "w", dataType: 1, floatData: [1] }],
  };
  const inputs = (irVersion: bigint) =>
    decodeOnnx(foreign(graph, irVersion)).inputs.map(({ name }) => name);
  assertEquals(inputs(3n), ["x"]);
  assertEquals(inputs(4n), ["x", "w"]);
});

Deno.test("decodeOnnx() names what it has no place for", () => {
  const node = { opType: "If", name: "n", output: ["y"] };
  const cases: [Uint8Array, string][] = [
    [
      tensorModel({ dataType: 11, rawData: new Uint8Array(16) }),
      "tensor w is of element type DOUBLE",
    ],
    [tensorModel({ dataType: 99 }), "tensor w is of element type 99"],
    [tensorModel({ dataLocation: 1 }), "tensor w is kept in another file"],
    [tensorModel({ rawData: new Uint8Array(4) }), "tensor w holds 1 numbers (expected dims [2])"],
    [tensorModel({ rawData: new Uint8Array(9) }), "tensor w holds 2 numbers (expected dims [2])"],
    [tensorModel({ dims: [-1n, -2n], floatData: [1, 2] }), "tensor w holds 2 numbers"],
    [tensorModel({ dims: [2n ** 60n] }), "dimension of tensor w is 1152921504606846976"],
    [foreign({ node: [{ ...node, domain: "com.microsoft" }] }), "domain com.microsoft"],
    [
      foreign({ node: [{ ...node, attribute: [{ name: "then_branch", type: 5 }] }] }),
      "attribute then_branch of node n (If) is of type GRAPH",
    ],
    [
      foreign(
        {
          node: [{ ...node, attribute: [{ name: "a", type: 3, s: new Uint8Array([255]) }] }],
        },
      ),
      "attribute a of node n (If) is not UTF-8 text",
    ],
    [foreign({ input: [{ name: "x" }] }), "input or output x has no shape"],
  ];
  for (const [bytes, message] of cases) {
    assertThrows(() => decodeOnnx(bytes), SyntaxError, message);
  }
});

Deno.test("decodeOnnx() refuses a file cut at any byte", () => {
  const file = encodeOnnx(everything());
  for (let length = 0; length < file.byteLength; length++) {
    assertThrows(() => decodeOnnx(file.slice(0, length)), SyntaxError, "Cannot read ONNX file: ");
  }
});

Deno.test("decodeOnnx() refuses other files", () => {
  const text = new TextEncoder();
  const jpeg = [0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1];
  const files = [jpeg, text.encode('{"version":1}'), text.encode("<html>"), new Uint8Array(1000)];
  for (const file of files) {
    const error = assertThrows(() => decodeOnnx(new Uint8Array(file)), SyntaxError);
    assertStringIncludes(error.message, "not an ONNX model");
  }
});

Deno.test("decodeOnnx() answers damaged bytes with a model or a SyntaxError, never else", () => {
  const file = encodeOnnx(everything());
  let refused = 0;
  let state = 1; // Lehmer generator (Park and Miller 1988)
  const below = (limit: number) => (state = state * 48271 % 0x7fffffff) % limit;
  for (let trial = 0; trial < 3000; trial++) {
    const damaged = file.slice();
    for (let hits = 1 + below(4); hits > 0; hits--) damaged[below(file.byteLength)] = below(256);
    try {
      decodeOnnx(damaged);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      refused++;
    }
  }
  assertEquals(refused > 500, true, `${refused} of 3000 refused`);
});
