/**
 * Reads an ONNX file while it arrives. Tensors are handed on piece by piece to whoever wants them, so
 * that no copy of the file is ever held; the rest is small and parsed by the reader of whole files.
 * @module
 */
import {
  EXTERNAL,
  GRAPH_INITIALIZER,
  GRAPH_INPUT,
  GRAPH_NODE,
  GRAPH_OUTPUT,
  MODEL_GRAPH,
  modelMessage,
  nodeMessage,
  TENSOR_RAW_DATA,
  tensorMessage,
  valueMessage,
} from "../../shared/onnx/messages.ts";
import type {
  OnnxElementType,
  OnnxNode,
  OnnxTensor,
  OnnxValue,
} from "../../shared/onnx/onnx_node.ts";
import {
  elementTypeOf,
  readNode,
  readTensor,
  readValue,
  unreadable,
} from "../../shared/onnx/read.ts";
import { messageOf } from "../../shared/message_of.ts";
import { ByteReader } from "./byte_reader.ts";

const WIRE_VARINT = 0;
const WIRE_64_BIT = 1;
const WIRE_LENGTH = 2;
const WIRE_32_BIT = 5;

/** A tensor whose numbers are about to arrive: row-major, little-endian. */
export interface ArrivingTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly elementType: OnnxElementType;
  readonly byteLength: number;
}

/** What is known of the model so far. */
export interface ArrivedGraph {
  readonly nodes: readonly OnnxNode[];
  readonly tensors: ReadonlyMap<string, OnnxTensor>;
}

/** Takes the numbers of one tensor, in pieces of any length. */
export type TensorSink = (part: Uint8Array) => void;

/**
 * Called for each tensor; what it returns is given the numbers. Where it returns nothing, the tensor
 * is kept whole.
 */
export type OfferTensor = (tensor: ArrivingTensor, graph: ArrivedGraph) => TensorSink | undefined;

export interface StreamedModel {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Those that no sink took. */
  readonly tensors: ReadonlyMap<string, OnnxTensor>;
  readonly opset: number;
}

/**
 * Reads the stream to its end. Nodes that stand behind the tensors are not known when these are
 * offered; writers of ONNX put them in front (protobuf's libraries write fields by their numbers).
 *
 * @throws {SyntaxError} where the bytes are no complete ONNX model, or use what onnx_node.ts has no
 * place for.
 */
export async function readOnnxStream(
  chunks: AsyncIterable<Uint8Array>,
  offer: OfferTensor,
): Promise<StreamedModel> {
  const reader = new ByteReader(chunks);
  try {
    return await new OnnxStream(reader, offer).read();
  } finally {
    await reader.close();
  }
}

class OnnxStream {
  readonly #reader: ByteReader;
  readonly #offer: OfferTensor;
  readonly #nodes: OnnxNode[] = [];
  readonly #inputs: OnnxValue[] = [];
  readonly #outputs: OnnxValue[] = [];
  readonly #tensors = new Map<string, OnnxTensor>();
  /** Names of all tensors, those that a sink took too. */
  readonly #constants = new Set<string>();

  constructor(reader: ByteReader, offer: OfferTensor) {
    this.#reader = reader;
    this.#offer = offer;
  }

  async read(): Promise<StreamedModel> {
    const rest: Uint8Array[] = [];
    // Protobuf joins a message that comes in parts.
    let parts = 0;
    while (!await this.#reader.atEnd()) {
      const field = await this.#field(2 ** 31);
      if (field.number === MODEL_GRAPH && field.length !== undefined) {
        parts++;
        await this.#graph(this.#reader.position + field.length);
      } else {
        rest.push(await this.#whole(field));
      }
    }
    const model = parse(() => modelMessage(joined(rest)));
    const opset = model.opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx");
    if (parts === 0 || !opset) throw unreadable("it has no graph or no operator set");
    // Up to IR version 3 every constant had to be listed as an input too (see read.ts).
    const listed = model.irVersion < 4n ? this.#constants : new Set<string>();
    return {
      nodes: this.#nodes,
      inputs: this.#inputs.filter(({ name }) => !listed.has(name)),
      outputs: this.#outputs,
      tensors: this.#tensors,
      opset: Number(opset.version),
    };
  }

  async #graph(end: number): Promise<void> {
    while (this.#reader.position < end) {
      const field = await this.#field(end);
      const message = () => this.#reader.bytes(field.length ?? 0);
      if (field.length === undefined) {
        await this.#whole(field);
      } else if (field.number === GRAPH_INITIALIZER) {
        await this.#tensor(this.#reader.position + field.length);
      } else if (field.number === GRAPH_NODE) {
        const bytes = await message();
        this.#nodes.push(readNode(parse(() => nodeMessage(bytes))));
      } else if (field.number === GRAPH_INPUT || field.number === GRAPH_OUTPUT) {
        const bytes = await message();
        const value = readValue(parse(() => valueMessage(bytes)));
        (field.number === GRAPH_INPUT ? this.#inputs : this.#outputs).push(value);
      } else {
        await this.#reader.pass(field.length, () => {});
      }
    }
  }

  async #tensor(end: number): Promise<void> {
    const head: Uint8Array[] = [];
    let taken: ArrivingTensor | undefined;
    while (this.#reader.position < end) {
      const field = await this.#field(end);
      const numbers = field.number === TENSOR_RAW_DATA;
      const arriving = numbers ? describe(joined(head), field.length ?? 0) : undefined;
      const sink = arriving &&
        this.#offer(arriving, { nodes: this.#nodes, tensors: this.#tensors });
      if (sink === undefined) {
        head.push(await this.#whole(field));
        continue;
      }
      taken = arriving;
      await this.#reader.pass(field.length!, sink);
    }
    const tensor = parse(() => tensorMessage(joined(head)));
    this.#constants.add(tensor.name);
    if (taken === undefined) this.#tensors.set(tensor.name, readTensor(tensor));
    else if (tensor.name !== taken.name || tensor.dataLocation === EXTERNAL) {
      throw unreadable(`tensor ${taken.name} is described behind its numbers (write it again)`);
    }
  }

  /** A field's tag, and its length where it is one with a length. */
  async #field(end: number): Promise<Field> {
    const tag = await this.#reader.varint();
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    const length = wire === WIRE_LENGTH ? await this.#reader.varint() : undefined;
    if (number === 0 || this.#reader.position + (length ?? 0) > end) {
      throw unreadable("a field is longer than what holds it (truncated, or not an ONNX model)");
    }
    return { number, wire, ...(length === undefined ? {} : { length }) };
  }

  /** The field as it was in the file, tag and all. */
  async #whole({ number, wire, length }: Field): Promise<Uint8Array> {
    const tag = varint(number * 8 + wire);
    switch (wire) {
      case WIRE_VARINT:
        return joined([tag, varint(await this.#reader.varint())]);
      case WIRE_64_BIT:
        return joined([tag, await this.#reader.bytes(8)]);
      case WIRE_LENGTH:
        return joined([tag, varint(length!), await this.#reader.bytes(length!)]);
      case WIRE_32_BIT:
        return joined([tag, await this.#reader.bytes(4)]);
      default:
        throw unreadable(`wire type ${wire} is not in use (not an ONNX model)`);
    }
  }
}

interface Field {
  readonly number: number;
  readonly wire: number;
  readonly length?: number;
}

/** Nothing where name, dims or type come behind the numbers, or do not fit their length. */
function describe(head: Uint8Array, byteLength: number): ArrivingTensor | undefined {
  const { name, dims, dataType } = parse(() => tensorMessage(head));
  const sizes = dims.map(Number);
  const type = elementTypeOf(dataType);
  const elements = sizes.reduce((product, size) => product * size, 1);
  const known = name !== "" && type !== undefined;
  if (!known || Math.ceil(elements * BYTES[type]) !== byteLength) return undefined;
  return { name, dims: sizes, elementType: type, byteLength };
}

const BYTES: Readonly<Record<OnnxElementType, number>> = {
  FLOAT: 4,
  FLOAT16: 2,
  INT4: 0.5,
  INT8: 1,
  UINT8: 1,
  INT32: 4,
  INT64: 8,
};

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push(value % 128 + 128);
  return Uint8Array.from([...bytes, value]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function parse<Message>(read: () => Message): Message {
  try {
    return read();
  } catch (cause) {
    const reason = messageOf(cause);
    throw unreadable(`${reason} (truncated, or not an ONNX model)`, cause);
  }
}
