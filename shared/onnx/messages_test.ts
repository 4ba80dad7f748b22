import { assertEquals, assertThrows } from "@std/assert";
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { modelMessage, nodeMessage, tensorMessage, valueMessage } from "./messages.ts";
import {
  AttributeProto_AttributeType as AttributeType,
  ModelProtoSchema,
  TensorProto_DataType as DataType,
} from "./onnx_pb.ts";

Deno.test("modelMessage() reads what the library wrote by its descriptors", () => {
  const model = create(ModelProtoSchema, {
    irVersion: 9n,
    producerName: "a test",
    docString: "ünïcode",
    opsetImport: [{ domain: "", version: 17n }],
    metadataProps: [{ key: "k", value: "v" }],
    graph: {
      name: "g",
      node: [{
        input: ["x", ""],
        output: ["y"],
        opType: "Conv",
        attribute: [
          { name: "ints", type: AttributeType.INTS, ints: [1n, -2n, 2n ** 62n] },
          { name: "floats", type: AttributeType.FLOATS, floats: [0.5, -1] },
          { name: "s", type: AttributeType.STRING, s: new Uint8Array([65]) },
          { name: "f", type: AttributeType.FLOAT, f: -2.5 },
        ],
      }],
      initializer: [
        { name: "raw", dims: [2n], dataType: DataType.INT8, rawData: new Uint8Array([1, 255]) },
        { name: "one by one", dims: [2n], dataType: DataType.INT64, int64Data: [-1n, 5n] },
      ],
      input: [{
        name: "x",
        type: {
          value: {
            case: "tensorType",
            value: {
              elemType: DataType.FLOAT,
              shape: {
                dim: [{ value: { case: "dimParam", value: "N" } }, {
                  value: { case: "dimValue", value: 3n },
                }, {}],
              },
            },
          },
        },
      }],
      output: [{ name: "y" }],
    },
  });
  const read = modelMessage(toBinary(ModelProtoSchema, model));
  assertEquals([read.irVersion, read.producerName, read.docString], [9n, "a test", "ünïcode"]);
  assertEquals(read.opsetImport, [{ domain: "", version: 17n }]);
  assertEquals(read.metadataProps, [{ key: "k", value: "v" }]);
  const { node: [node], initializer, input, output } = read.graph!;
  assertEquals([node!.input, node!.output, node!.opType], [["x", ""], ["y"], "Conv"]);
  const [ints, floats, string, float] = node!.attribute;
  assertEquals([ints!.type, ints!.ints], [AttributeType.INTS, [1n, -2n, 2n ** 62n]]);
  assertEquals([floats!.floats, string!.s, float!.f], [[0.5, -1], new Uint8Array([65]), -2.5]);
  assertEquals(initializer.map(({ dims }) => dims), [[2n], [2n]]);
  assertEquals([initializer[0]!.rawData, initializer[0]!.dataType], [
    new Uint8Array([1, 255]),
    DataType.INT8,
  ]);
  assertEquals(initializer[1]!.int64Data, [-1n, 5n]);
  assertEquals(input[0]!.tensor, { elemType: 1, shape: { dim: ["N", 3n, ""] } });
  assertEquals(output, [{ name: "y" }]);
});

Deno.test("numbers that repeat may come packed or one by one, and unknown fields are passed", () => {
  const packed = new BinaryWriter().tag(1, WireType.LengthDelimited).fork().int64(4n).int64(5n)
    .join().finish();
  const loose = new BinaryWriter().tag(1, WireType.Varint).int64(4n).tag(99, WireType.Bit64)
    .fixed64(1n).tag(1, WireType.Varint).int64(5n).finish();
  for (const bytes of [packed, loose]) assertEquals(tensorMessage(bytes).dims, [4n, 5n]);
});

Deno.test("a message that is cut off or of other fields is refused", () => {
  const node = new BinaryWriter().tag(4, WireType.LengthDelimited).string("Relu").finish();
  assertEquals(nodeMessage(node).opType, "Relu");
  assertThrows(() => nodeMessage(node.subarray(0, 3)), RangeError);
  const number = new BinaryWriter().tag(1, WireType.Varint).int64(7n).finish();
  assertThrows(() => valueMessage(number), RangeError, "field 1 has wire type 0");
});
