/**
 * The messages of onnx.proto as far as they are read, by the wire reader of the library that write.ts
 * uses. The library's own parser goes by descriptors that take 13 ms and 10 MB to load (2.17.0,
 * 2026-11), much of the cold start of a small service.
 * @module
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

export interface ModelMessage {
  irVersion: bigint;
  producerName: string;
  producerVersion: string;
  docString: string;
  graph?: GraphMessage;
  opsetImport: { domain: string; version: bigint }[];
  metadataProps: { key: string; value: string }[];
}

export interface GraphMessage {
  node: NodeMessage[];
  name: string;
  initializer: TensorMessage[];
  input: ValueMessage[];
  output: ValueMessage[];
}

export interface NodeMessage {
  input: string[];
  output: string[];
  name: string;
  opType: string;
  attribute: AttributeMessage[];
  domain: string;
}

export interface AttributeMessage {
  name: string;
  f: number;
  i: bigint;
  s: Uint8Array;
  floats: number[];
  ints: bigint[];
  /** AttributeType */
  type: number;
}

export interface ValueMessage {
  name: string;
  /** Nothing where it is no tensor. */
  tensor?: TensorTypeMessage;
}

interface TensorTypeMessage {
  /** DataType */
  elemType: number;
  shape?: { dim: (bigint | string)[] };
}

export interface TensorMessage {
  dims: bigint[];
  /** DataType */
  dataType: number;
  floatData: number[];
  int32Data: number[];
  int64Data: bigint[];
  name: string;
  /** A view of what was parsed. */
  rawData: Uint8Array;
  /** DataLocation */
  dataLocation: number;
}

/** Numbers of fields by which a stream of a model is taken apart. */
export const MODEL_GRAPH = 7;
export const GRAPH_NODE = 1;
export const GRAPH_INITIALIZER = 5;
export const GRAPH_INPUT = 11;
export const GRAPH_OUTPUT = 12;
export const TENSOR_RAW_DATA = 9;

/** The `DataLocation` of numbers in another file. */
export const EXTERNAL = 1;

/** How one field is read into its message; numbers that repeat may also come packed. */
interface Field<Message> {
  readonly wire: WireType;
  readonly packable?: boolean;
  readonly read: (message: Message, reader: BinaryReader) => void;
}

type Fields<Message> = Readonly<Record<number, Field<Message>>>;

/** Reads what is known of the bytes into the message, which may have a part of it already. */
function merge<Message>(message: Message, bytes: Uint8Array, fields: Fields<Message>): Message {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const field = fields[number];
    if (field?.wire === wire) {
      field.read(message, reader);
    } else if (field?.packable && wire === WireType.LengthDelimited) {
      const numbers = new BinaryReader(reader.bytes());
      while (numbers.pos < numbers.len) field.read(message, numbers);
    } else if (field === undefined) {
      reader.skip(wire, number);
    } else {
      throw new RangeError(`field ${number} has wire type ${wire}`);
    }
  }
  return message;
}

function sized<Message>(
  read: (message: Message, reader: BinaryReader) => void,
): Field<Message> {
  return { wire: WireType.LengthDelimited, read };
}

function number<Message>(
  read: (message: Message, reader: BinaryReader) => void,
): Field<Message> {
  return { wire: WireType.Varint, packable: true, read };
}

function float<Message>(
  read: (message: Message, reader: BinaryReader) => void,
): Field<Message> {
  return { wire: WireType.Bit32, packable: true, read };
}

const int64 = (reader: BinaryReader) => BigInt(reader.int64());

const MODEL: Fields<ModelMessage> = {
  1: number((model, r) => model.irVersion = int64(r)),
  2: sized((model, r) => model.producerName = r.string()),
  3: sized((model, r) => model.producerVersion = r.string()),
  6: sized((model, r) => model.docString = r.string()),
  [MODEL_GRAPH]: sized((model, r) => {
    model.graph ??= { node: [], name: "", initializer: [], input: [], output: [] };
    merge(model.graph, r.bytes(), GRAPH);
  }),
  8: sized((model, r) =>
    model.opsetImport.push(merge({ domain: "", version: 0n }, r.bytes(), OPSET))
  ),
  14: sized((model, r) => model.metadataProps.push(merge({ key: "", value: "" }, r.bytes(), PAIR))),
};

const OPSET: Fields<ModelMessage["opsetImport"][number]> = {
  1: sized((opset, r) => opset.domain = r.string()),
  2: number((opset, r) => opset.version = int64(r)),
};

const PAIR: Fields<ModelMessage["metadataProps"][number]> = {
  1: sized((pair, r) => pair.key = r.string()),
  2: sized((pair, r) => pair.value = r.string()),
};

const GRAPH: Fields<GraphMessage> = {
  [GRAPH_NODE]: sized((graph, r) => graph.node.push(nodeMessage(r.bytes()))),
  2: sized((graph, r) => graph.name = r.string()),
  [GRAPH_INITIALIZER]: sized((graph, r) => graph.initializer.push(tensorMessage(r.bytes()))),
  [GRAPH_INPUT]: sized((graph, r) => graph.input.push(valueMessage(r.bytes()))),
  [GRAPH_OUTPUT]: sized((graph, r) => graph.output.push(valueMessage(r.bytes()))),
};

const NODE: Fields<NodeMessage> = {
  1: sized((node, r) => node.input.push(r.string())),
  2: sized((node, r) => node.output.push(r.string())),
  3: sized((node, r) => node.name = r.string()),
  4: sized((node, r) => node.opType = r.string()),
  5: sized((node, r) => node.attribute.push(attributeMessage(r.bytes()))),
  7: sized((node, r) => node.domain = r.string()),
};

const ATTRIBUTE: Fields<AttributeMessage> = {
  1: sized((attribute, r) => attribute.name = r.string()),
  2: float((attribute, r) => attribute.f = r.float()),
  3: number((attribute, r) => attribute.i = int64(r)),
  4: sized((attribute, r) => attribute.s = r.bytes()),
  7: float((attribute, r) => attribute.floats.push(r.float())),
  8: number((attribute, r) => attribute.ints.push(int64(r))),
  20: number((attribute, r) => attribute.type = r.int32()),
};

const VALUE: Fields<ValueMessage> = {
  1: sized((value, r) => value.name = r.string()),
  // TypeProto, of whose kinds a tensor is the first.
  2: sized((value, r) =>
    merge(value, r.bytes(), {
      1: sized((value, r) => {
        value.tensor ??= { elemType: 0 };
        merge(value.tensor, r.bytes(), TENSOR_TYPE);
      }),
    })
  ),
};

const TENSOR_TYPE: Fields<TensorTypeMessage> = {
  1: number((type, r) => type.elemType = r.int32()),
  2: sized((type, r) => {
    type.shape ??= { dim: [] };
    merge(type.shape.dim, r.bytes(), {
      1: sized((dim, r) => dim.push(merge({ size: "" }, r.bytes(), DIMENSION).size)),
    });
  }),
};

const DIMENSION: Fields<{ size: bigint | string }> = {
  1: number((dimension, r) => dimension.size = int64(r)),
  2: sized((dimension, r) => dimension.size = r.string()),
};

const TENSOR: Fields<TensorMessage> = {
  1: number((tensor, r) => tensor.dims.push(int64(r))),
  2: number((tensor, r) => tensor.dataType = r.int32()),
  4: float((tensor, r) => tensor.floatData.push(r.float())),
  5: number((tensor, r) => tensor.int32Data.push(r.int32())),
  7: number((tensor, r) => tensor.int64Data.push(int64(r))),
  8: sized((tensor, r) => tensor.name = r.string()),
  [TENSOR_RAW_DATA]: sized((tensor, r) => tensor.rawData = r.bytes()),
  14: number((tensor, r) => tensor.dataLocation = r.int32()),
};

/** @throws {Error} of the library's kinds where the bytes are no such message; so all of them. */
export function modelMessage(bytes: Uint8Array): ModelMessage {
  return merge(
    {
      irVersion: 0n,
      producerName: "",
      producerVersion: "",
      docString: "",
      opsetImport: [],
      metadataProps: [],
    },
    bytes,
    MODEL,
  );
}

export function nodeMessage(bytes: Uint8Array): NodeMessage {
  const node = { input: [], output: [], name: "", opType: "", attribute: [], domain: "" };
  return merge(node, bytes, NODE);
}

function attributeMessage(bytes: Uint8Array): AttributeMessage {
  const attribute = { name: "", f: 0, i: 0n, s: new Uint8Array(), floats: [], ints: [], type: 0 };
  return merge(attribute, bytes, ATTRIBUTE);
}

export function valueMessage(bytes: Uint8Array): ValueMessage {
  return merge({ name: "" }, bytes, VALUE);
}

export function tensorMessage(bytes: Uint8Array): TensorMessage {
  return merge(
    {
      dims: [],
      dataType: 0,
      floatData: [],
      int32Data: [],
      int64Data: [],
      name: "",
      rawData: new Uint8Array(),
      dataLocation: 0,
    },
    bytes,
    TENSOR,
  );
}
