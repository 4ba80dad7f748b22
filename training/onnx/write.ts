/**
 * Writes ONNX files (protobuf) with `@bufbuild/protobuf`.
 *
 * The library encodes everything but the numbers of the tensors; these follow as views of the
 * caller's arrays, each behind the tag and length written by the library's BinaryWriter. Its own
 * toBinary() copies every weight into a buffer that grows by doubling, and once more at the end.
 *
 * Measured 2026-11-24, Deno 2.9.6, 2 busy cores, AlexNet's 60,965,224 weights (244 MB), each way in
 * its own process, medians of 3; a process that holds the weights or the file alone peaks at 286 MB.
 *
 * | way                                       | write  | peak MB | read to views | peak MB |
 * |-------------------------------------------|--------|---------|---------------|---------|
 * | @bufbuild/protobuf 2.17.0, chunks (here)  | 5 ms   | 297     | 1 ms          | 293     |
 * | same, joined into one array               | 0.3 s  | 540     |               |         |
 * | @bufbuild/protobuf, toBinary of the whole | 0.7 s  | 802     |               |         |
 * | protobufjs 8.8.1, encode of the whole     | 0.9 s  | 950     | 18 ms         | 299     |
 *
 * protobufjs could place chunks as well, so memory does not decide. @bufbuild/protobuf (released
 * 2026-11-05) gives typed messages and bigint for int64, has no dependency and makes 74 kB of a
 * bundle. protobufjs (2026-10-11) gives Long objects from a dependency, compiles its coders with
 * Function() at run time and makes 105 kB, the schema not counted.
 */
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  AttributeProto_AttributeType as AttributeType,
  type AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProtoSchema,
  TensorProto_DataType as DataType,
  TensorProtoSchema,
  type ValueInfoProtoSchema,
} from "../../shared/onnx/onnx_pb.ts";
import { packInt4 } from "../../shared/onnx/int4.ts";
import {
  INT4_IR_VERSION,
  INT4_OPSET,
  ONNX_IR_VERSION,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from "../../shared/onnx/onnx_node.ts";

/** Protobuf's limit: readers hold sizes in a signed 32-bit integer. */
const MAX_BYTES = 2 ** 31 - 1;

/**
 * The file as pieces to be written one after another. Pieces with weights are views of
 * `model.initializers` (little-endian, as every platform Deno runs on), so no weight is copied.
 *
 * @throws {RangeError} where a tensor's numbers do not fit its dims, an integer is not safe, or the
 * file would pass protobuf's limit of 2 GiB.
 */
export function encodeOnnxChunks(model: OnnxModel): Uint8Array[] {
  assertFits(model.initializers.reduce((sum, { data }) => sum + data.byteLength, 0));
  const graph = toBinary(GraphProtoSchema, create(GraphProtoSchema, graphWithoutTensors(model)));
  const tensors = model.initializers.flatMap(encodeTensor);
  // The graph comes last, so everything in front of it is small and known before the weights.
  const head = startField(
    toBinary(ModelProtoSchema, create(ModelProtoSchema, modelWithoutGraph(model))),
    ModelProtoSchema.field.graph.number,
    graph.byteLength + byteLengthOf(tensors),
  ).raw(graph).finish();
  const chunks = [head, ...tensors];
  assertFits(byteLengthOf(chunks));
  return chunks;
}

/** The file as one array, at the cost of one copy of all weights. Throws as encodeOnnxChunks(). */
export function encodeOnnx(model: OnnxModel): Uint8Array<ArrayBuffer> {
  const chunks = encodeOnnxChunks(model);
  const file = new Uint8Array(byteLengthOf(chunks));
  let offset = 0;
  for (const chunk of chunks) {
    file.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return file;
}

function byteLengthOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
}

function assertFits(byteLength: number): void {
  if (byteLength <= MAX_BYTES) return;
  throw new RangeError(
    `Cannot write ONNX file: ${byteLength} bytes are more than protobuf's limit of ${MAX_BYTES}`,
  );
}

/** [the initializer's field up to where its numbers start, the numbers]. */
function encodeTensor({ name, dims, data, elementType }: OnnxTensor): [Uint8Array, Uint8Array] {
  const elements = dims.reduce((product, size) => product * size, 1);
  if (elements !== data.length || dims.some((size) => size < 0)) {
    throw new RangeError(
      `Cannot write ONNX tensor ${name}: ${data.length} numbers do not fill dims [${dims}]`,
    );
  }
  const raw = elementType === "INT4"
    ? packInt4(data as Int8Array)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const tensor = startField(
    toBinary(
      TensorProtoSchema,
      create(TensorProtoSchema, {
        name,
        dims: dims.map((size) => int64(size, `dimension of tensor ${name}`)),
        dataType: elementType === "INT4" ? DataType.INT4 : dataTypeOf(data),
      }),
    ),
    TensorProtoSchema.field.rawData.number,
    raw.byteLength,
  ).finish();
  const head = startField(
    new Uint8Array(),
    GraphProtoSchema.field.initializer.number,
    tensor.byteLength + raw.byteLength,
  ).raw(tensor).finish();
  return [head, raw];
}

/** `before`, then tag and length of a field whose content of `byteLength` bytes will follow. */
function startField(before: Uint8Array, fieldNumber: number, byteLength: number): BinaryWriter {
  return new BinaryWriter().raw(before).tag(fieldNumber, WireType.LengthDelimited)
    .uint32(byteLength);
}

function dataTypeOf(data: OnnxTensor["data"]): DataType {
  if (data instanceof Float32Array) return DataType.FLOAT;
  if (data instanceof Float16Array) return DataType.FLOAT16;
  if (data instanceof Int8Array) return DataType.INT8;
  if (data instanceof Uint8Array) return DataType.UINT8;
  return data instanceof Int32Array ? DataType.INT32 : DataType.INT64;
}

function modelWithoutGraph(model: OnnxModel): MessageInitShape<typeof ModelProtoSchema> {
  return {
    irVersion: BigInt(model.opset < INT4_OPSET ? ONNX_IR_VERSION : INT4_IR_VERSION),
    producerName: model.producerName,
    producerVersion: model.producerVersion,
    docString: model.docString,
    opsetImport: [{ domain: "", version: int64(model.opset, "opset") }],
    metadataProps: Object.entries(model.metadata).map(([key, value]) => ({ key, value })),
  };
}

function graphWithoutTensors(model: OnnxModel): MessageInitShape<typeof GraphProtoSchema> {
  return {
    name: model.graphName,
    node: model.nodes.map(nodeProto),
    input: model.inputs.map(valueProto),
    output: model.outputs.map(valueProto),
  };
}

function nodeProto(node: OnnxNode): MessageInitShape<typeof NodeProtoSchema> {
  return {
    opType: node.opType,
    name: node.name,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: Object.entries(node.attributes).map(([name, attribute]) => ({
      name,
      ...attributeValue(attribute, `attribute ${name} of node ${node.name}`),
    })),
  };
}

function attributeValue(
  attribute: OnnxAttribute,
  what: string,
): MessageInitShape<typeof AttributeProtoSchema> {
  if ("int" in attribute) return { type: AttributeType.INT, i: int64(attribute.int, what) };
  if ("float" in attribute) return { type: AttributeType.FLOAT, f: attribute.float };
  if ("ints" in attribute) {
    return { type: AttributeType.INTS, ints: attribute.ints.map((value) => int64(value, what)) };
  }
  if ("floats" in attribute) return { type: AttributeType.FLOATS, floats: [...attribute.floats] };
  return { type: AttributeType.STRING, s: new TextEncoder().encode(attribute.string) };
}

function valueProto(value: OnnxValue): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = value.shape.map((size) => {
    if (size === "") return {};
    if (typeof size === "string") return { value: { case: "dimParam" as const, value: size } };
    const dimValue = int64(size, `dimension of ${value.name}`);
    return { value: { case: "dimValue" as const, value: dimValue } };
  });
  const elemType = DataType[value.elementType ?? "FLOAT"];
  return {
    name: value.name,
    type: { value: { case: "tensorType", value: { elemType, shape: { dim } } } },
  };
}

function int64(value: number, what: string): bigint {
  if (Number.isSafeInteger(value)) return BigInt(value);
  throw new RangeError(`Cannot write ONNX file: ${what} is ${value} (expected a safe integer)`);
}
