/** Reads ONNX files (protobuf). */
import { messageOf } from "../message_of.ts";
import {
  type AttributeMessage,
  EXTERNAL,
  type GraphMessage,
  type ModelMessage,
  modelMessage,
  type NodeMessage,
  type TensorMessage,
  type ValueMessage,
} from "./messages.ts";
import { unpackInt4 } from "./int4.ts";
import type {
  OnnxAttribute,
  OnnxElementType,
  OnnxModel,
  OnnxNode,
  OnnxNumbers,
  OnnxTensor,
  OnnxValue,
} from "./onnx_node.ts";

/**
 * The model in an ONNX file. A tensor's numbers are a view of `bytes` where they happen to be
 * aligned there, a copy otherwise: keep `bytes` unchanged while the model is in use. (A file of
 * AlexNet, 244 MB: 0.2 s and 240 MB for copies beside the file, 2026-11-24, onnx_bench.ts.)
 *
 * Documentation strings of nodes and tensors, inferred shapes and per-node metadata are not kept.
 *
 * @throws {SyntaxError} where the bytes are no complete ONNX model, or the model uses what
 * onnx_node.ts has no place for (other element types, external data, subgraphs, custom operators).
 */
export function decodeOnnx(bytes: Uint8Array): OnnxModel {
  const model = parse(bytes);
  const graph = model.graph;
  const opset = model.opsetImport.find(({ domain }) => isDefaultDomain(domain));
  if (!graph || !opset) {
    const missing = graph ? "operator set" : "graph";
    throw unreadable(`it has no ${missing} (truncated, or not an ONNX model)`);
  }
  return {
    ...graphParts(graph, model.irVersion),
    opset: safeInteger(opset.version, "operator set version"),
    producerName: model.producerName,
    producerVersion: model.producerVersion,
    metadata: Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value])),
    docString: model.docString,
  };
}

function parse(bytes: Uint8Array): ModelMessage {
  try {
    return modelMessage(bytes);
  } catch (cause) {
    // The library throws Error, RangeError and TypeError for malformed input.
    const reason = messageOf(cause);
    throw unreadable(`${reason} (truncated, or not an ONNX model)`, cause);
  }
}

/**
 * Up to IR version 3 every initializer had to be listed as an input too; since version 4 that makes
 * it a default which the caller may override, and runtimes then fold and pack no weights (IR.md of
 * ONNX, "Graphs"). Old listings are left out, so that a model written back still means the same.
 */
function graphParts(
  graph: GraphMessage,
  irVersion: bigint,
): Pick<OnnxModel, "graphName" | "inputs" | "outputs" | "nodes" | "initializers"> {
  const constants = new Set(irVersion < 4n ? graph.initializer.map(({ name }) => name) : []);
  return {
    graphName: graph.name,
    inputs: graph.input.filter(({ name }) => !constants.has(name)).map(readValue),
    outputs: graph.output.map(readValue),
    nodes: graph.node.map(readNode),
    initializers: graph.initializer.map(readTensor),
  };
}

/** One operator. Throws as decodeOnnx(). */
export function readNode(node: NodeMessage): OnnxNode {
  const what = `node ${node.name || node.output[0]} (${node.opType})`;
  if (!isDefaultDomain(node.domain)) {
    throw unreadable(`${what} is of operator domain ${node.domain} (expected the default domain)`);
  }
  return {
    opType: node.opType,
    name: node.name,
    inputs: node.input,
    outputs: node.output,
    attributes: Object.fromEntries(
      node.attribute.map((a) => [a.name, readAttribute(a, `attribute ${a.name} of ${what}`)]),
    ),
  };
}

/** By `AttributeProto.AttributeType`. */
const ATTRIBUTE_TYPES = [
  ...["UNDEFINED", "FLOAT", "INT", "STRING", "TENSOR", "GRAPH", "FLOATS", "INTS", "STRINGS"],
  ...["TENSORS", "GRAPHS", "SPARSE_TENSOR", "SPARSE_TENSORS", "TYPE_PROTO", "TYPE_PROTOS"],
];

function readAttribute(attribute: AttributeMessage, what: string): OnnxAttribute {
  const type = ATTRIBUTE_TYPES[attribute.type];
  switch (type) {
    case "INT":
      return { int: safeInteger(attribute.i, what) };
    case "FLOAT":
      return { float: attribute.f };
    case "INTS":
      return { ints: attribute.ints.map((value) => safeInteger(value, what)) };
    case "FLOATS":
      return { floats: attribute.floats };
    case "STRING":
      return { string: utf8(attribute.s, what) };
    default:
      throw unreadable(
        `${what} is of type ${type ?? attribute.type} ` +
          "(expected INT, FLOAT, INTS, FLOATS or STRING)",
      );
  }
}

/** One input or output. Throws as decodeOnnx(). */
export function readValue({ name, tensor }: ValueMessage): OnnxValue {
  if (!tensor?.shape) {
    throw unreadable(
      `input or output ${name} has no shape (expected a tensor of known rank)`,
    );
  }
  const elementType = readElementType(tensor.elemType, `input or output ${name}`);
  return {
    name,
    shape: tensor.shape.dim.map((size) =>
      typeof size === "bigint" ? safeInteger(size, `dimension of ${name}`) : size
    ),
    ...(elementType === "FLOAT" ? {} : { elementType }),
  };
}

/** One constant, with its numbers as a view of the bytes it was parsed from. Throws as decodeOnnx(). */
export function readTensor(tensor: TensorMessage): OnnxTensor {
  const what = `tensor ${tensor.name}`;
  if (tensor.dataLocation === EXTERNAL) {
    throw unreadable(`${what} is kept in another file (expected all weights inside)`);
  }
  const dims = tensor.dims.map((size) => safeInteger(size, `dimension of ${what}`));
  const elements = dims.reduce((product, size) => product * size, 1);
  const type = readElementType(tensor.dataType, what);
  const data = type === "INT4" ? readInt4(tensor, elements) : readNumbers(tensor, type);
  const whole = tensor.rawData.byteLength % data.BYTES_PER_ELEMENT === 0;
  if (!whole || data.length !== elements || dims.some((size) => size < 0)) {
    throw unreadable(`${what} holds ${data.length} numbers (expected dims [${dims}])`);
  }
  return { name: tensor.name, dims, data, ...(type === "INT4" ? { elementType: type } : {}) };
}

/** As many numbers as the bytes have, where these are not those of the elements. */
function readInt4({ rawData, int32Data }: TensorMessage, elements: number): Int8Array {
  const bytes = rawData.byteLength > 0 ? rawData : Uint8Array.from(int32Data);
  const fits = bytes.length === Math.ceil(elements / 2);
  return unpackInt4(bytes, fits ? elements : 2 * bytes.length);
}

/**
 * Numbers lie in raw_data, or one by one in the field of their type: int32_data holds the small
 * integers too, and float16 as the bits of an integer (TensorProto in onnx.proto).
 */
function readNumbers(tensor: TensorMessage, type: Exclude<OnnxElementType, "INT4">): OnnxNumbers {
  const raw = tensor.rawData.byteLength > 0 ? tensor.rawData : undefined;
  switch (type) {
    case "FLOAT":
      return raw ? view(raw, Float32Array) : Float32Array.from(tensor.floatData);
    case "FLOAT16":
      return raw
        ? view(raw, Float16Array)
        : new Float16Array(Uint16Array.from(tensor.int32Data).buffer);
    case "INT8":
      return raw ? view(raw, Int8Array) : Int8Array.from(tensor.int32Data);
    case "UINT8":
      return raw ? view(raw, Uint8Array) : Uint8Array.from(tensor.int32Data);
    case "INT32":
      return raw ? view(raw, Int32Array) : Int32Array.from(tensor.int32Data);
    case "INT64":
      return raw ? view(raw, BigInt64Array) : BigInt64Array.from(tensor.int64Data);
  }
}

interface NumberArray<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/** Whole elements of `raw`; copied first where the file has them at an offset no view can start at. */
function view<T>(raw: Uint8Array, ArrayType: NumberArray<T>): T {
  const size = ArrayType.BYTES_PER_ELEMENT;
  const bytes = raw.byteOffset % size === 0 ? raw : raw.slice();
  return new ArrayType(bytes.buffer, bytes.byteOffset, Math.floor(bytes.byteLength / size));
}

/** By `TensorProto.DataType`. */
const DATA_TYPES = [
  ...["UNDEFINED", "FLOAT", "UINT8", "INT8", "UINT16", "INT16", "INT32", "INT64", "STRING", "BOOL"],
  ...["FLOAT16", "DOUBLE", "UINT32", "UINT64", "COMPLEX64", "COMPLEX128", "BFLOAT16"],
  ...["FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "UINT4", "INT4"],
];

const ELEMENT_TYPES: readonly OnnxElementType[] = [
  "FLOAT",
  "FLOAT16",
  "INT4",
  "INT8",
  "UINT8",
  "INT32",
  "INT64",
];

/** The element type of a tensor's `data_type`, or nothing where the engine has no place for it. */
export function elementTypeOf(type: number): OnnxElementType | undefined {
  return ELEMENT_TYPES.find((known) => known === DATA_TYPES[type]);
}

function readElementType(type: number, what: string): OnnxElementType {
  const name = elementTypeOf(type);
  if (name !== undefined) return name;
  throw unreadable(
    `${what} is of element type ${DATA_TYPES[type] ?? type} (expected ${ELEMENT_TYPES.join(", ")})`,
  );
}

/** "ai.onnx" is an alias of "" (IR.md of ONNX, "Operator Sets"). */
function isDefaultDomain(domain: string): boolean {
  return domain === "" || domain === "ai.onnx";
}

function safeInteger(value: bigint, what: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw unreadable(`${what} is ${value} (expected a safe integer)`);
}

function utf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw unreadable(`${what} is not UTF-8 text`, cause);
  }
}

/** The error that every reader of ONNX files throws. */
export function unreadable(reason: string, cause?: unknown): SyntaxError {
  return new SyntaxError(`Cannot read ONNX file: ${reason}`, { cause });
}
