import { assertEquals, assertThrows } from "@std/assert";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { everything } from "./example_model.ts";
import { ModelProtoSchema } from "../../shared/onnx/onnx_pb.ts";
import { decodeOnnx } from "../../shared/onnx/read.ts";
import { encodeOnnx, encodeOnnxChunks } from "./write.ts";

Deno.test("encodeOnnx() writes what decodeOnnx() gives back", () => {
  assertEquals(decodeOnnx(encodeOnnx(everything())), everything());
});

Deno.test("encodeOnnx() writes 4-bit integers, two in a byte, under the IR version that has them", () => {
  const data = Int8Array.of(-8, 7, 0, -1, 3);
  const tensor = { name: "w", dims: [5, 1], data, elementType: "INT4" as const };
  const model = { ...everything(), opset: 21, initializers: [tensor] };
  const file = encodeOnnx(model);
  assertEquals(decodeOnnx(file), model);
  const { irVersion, graph } = fromBinary(ModelProtoSchema, file);
  assertEquals(irVersion, 10n);
  assertEquals([...graph!.initializer[0]!.rawData], [0x78, 0xf0, 0x03]);
});

Deno.test("encodeOnnxChunks() joins to encodeOnnx() and copies no weight", () => {
  const model = everything();
  const chunks = encodeOnnxChunks(model);
  assertEquals(new Uint8Array(chunks.flatMap((chunk) => [...chunk])), encodeOnnx(model));
  for (const { data } of model.initializers) {
    assertEquals(chunks.some((chunk) => chunk.buffer === data.buffer), true);
  }
});

Deno.test("encodeOnnx() places weights as the library itself encodes them", () => {
  // toBinary() sorts fields by number, so the order may differ, never the content or the lengths.
  const file = encodeOnnx(everything());
  const parsed = fromBinary(ModelProtoSchema, file);
  const whole = toBinary(ModelProtoSchema, parsed);
  assertEquals(whole.byteLength, file.byteLength);
  assertEquals(decodeOnnx(whole), everything());
  // "w" has 6 float32 and "split" two int64: they are stored as raw_data, in dims' order.
  assertEquals(parsed.graph?.initializer.map(({ rawData }) => rawData.byteLength), [
    24,
    16,
    4,
    6,
    2,
    2,
    4,
    0,
    400,
  ]);
});

Deno.test("encodeOnnxChunks() refuses what the format cannot hold", () => {
  const model = everything();
  const short = { name: "w", dims: [2, 2], data: new Float32Array(3) };
  assertThrows(
    () => encodeOnnxChunks({ ...model, initializers: [short] }),
    RangeError,
    "tensor w: 3 numbers do not fill dims [2,2]",
  );
  const negative = { name: "w", dims: [-1, -3], data: new Float32Array(3) };
  assertThrows(
    () => encodeOnnxChunks({ ...model, initializers: [negative] }),
    RangeError,
    "[-1,-3]",
  );
  const node = { opType: "A", name: "a", inputs: [], outputs: [] };
  assertThrows(
    () => encodeOnnxChunks({ ...model, nodes: [{ ...node, attributes: { n: { int: 0.5 } } }] }),
    RangeError,
    "attribute n of node a is 0.5",
  );
  // One buffer of zero pages, named eight times: the memory is never touched.
  const data = new Float32Array(2 ** 26);
  const initializers = Array.from(
    { length: 8 },
    (_, i) => ({ name: `${i}`, dims: [2 ** 26], data }),
  );
  assertThrows(
    () => encodeOnnxChunks({ ...model, initializers }),
    RangeError,
    "2147483648 bytes are more than protobuf's limit of 2147483647",
  );
});
