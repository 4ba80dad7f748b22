import { clearField, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type ModelProto,
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation as DataLocation,
  TensorProtoSchema,
} from "../../shared/onnx/onnx_pb.ts";

/** The name under which the graph asks for the numbers of its large tensors. */
export const WEIGHTS_FILE = "weights";

/** Smaller tensors stay in the graph: scales, biases, sizes. */
const LEAST_BYTES = 1024;

/**
 * An ONNX file as external data of itself: the graph without its large tensors, each of which names
 * its place in the file. ONNX Runtime then copies one tensor after another out of the file, and not
 * the whole file before that: AlexNet's int8 weights took 285 MB at their peak and not 378 (2026-11).
 *
 * @param edit changes the graph; it may read the tensors' numbers, which are views of the file
 * @throws {SyntaxError} where the bytes are no ONNX model.
 */
export function splitWeights(
  file: Uint8Array,
  edit: (model: ModelProto) => void = () => {},
): Uint8Array<ArrayBuffer> {
  const model = parse(file);
  edit(model);
  for (const tensor of model.graph?.initializer ?? []) {
    if (tensor.rawData.byteLength >= LEAST_BYTES) makeExternal(tensor, file);
  }
  return toBinary(ModelProtoSchema, model);
}

function parse(file: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, file);
  } catch (cause) {
    throw new SyntaxError(`it is no ONNX file, ${(cause as Error).message}`, { cause });
  }
}

function makeExternal(tensor: TensorProto, file: Uint8Array): void {
  const { rawData } = tensor;
  // What an edit added lies in memory of its own.
  if (rawData.buffer !== file.buffer) return;
  const entries = {
    location: WEIGHTS_FILE,
    offset: String(rawData.byteOffset - file.byteOffset),
    length: String(rawData.byteLength),
  };
  tensor.externalData = Object.entries(entries)
    .map(([key, value]) => create(StringStringEntryProtoSchema, { key, value }));
  tensor.dataLocation = DataLocation.EXTERNAL;
  clearField(tensor, TensorProtoSchema.field.rawData);
}
