import type { ServedModel } from "../models/served_model.ts";
import { readBase64 } from "../request_images.ts";
import { ProtocolError, splitBytes } from "./binary.ts";
import { type InferTensor, MOST_DIMENSIONS } from "./schema.ts";

/** Inputs of one request at most: each waits for a run of its own. */
const MOST_INPUTS = 64;

/** What an infer request brings: encoded images, or tensors that are preprocessed already. */
export type InferInputs =
  | { readonly kind: "images"; readonly images: readonly Uint8Array<ArrayBuffer>[] }
  | { readonly kind: "tensors"; readonly tensors: readonly Float32Array[] };

/**
 * Reads the one input of a request: BYTES [n] are encoded images (base64 in JSON), FP32
 * [n, channels, height, width] is the network's own input.
 *
 * @throws {ProtocolError} when it is neither, or does not fit its shape.
 */
export function readInputs(
  { name, datatype, shape, data }: InferTensor,
  raw: Uint8Array<ArrayBuffer> | undefined,
  { manifest }: ServedModel,
): InferInputs {
  const count = shape[0] ?? 0;
  if (count < 1 || count > MOST_INPUTS) {
    throw new ProtocolError(`shape of ${name} is [${shape}], expected 1 to ${MOST_INPUTS} first`);
  }
  if (datatype === "BYTES") {
    const images = raw ? splitBytes(raw) : flat(data).map(readImage);
    const elements = shape.reduce((product, size) => product * size, 1);
    if (images.length !== elements) {
      throw new ProtocolError(`${name} has ${images.length} elements, its shape ${elements}`);
    }
    return { kind: "images", images };
  }
  if (datatype !== "FP32" || name !== manifest.input.name) {
    throw new ProtocolError(
      `input ${name} is ${datatype}, expected ${manifest.input.name} FP32 or BYTES`,
    );
  }
  const sizes = manifest.input.shape.slice(1);
  if (shape.slice(1).join() !== sizes.join()) {
    throw new ProtocolError(`shape of ${name} is [${shape}], expected [-1,${sizes}]`);
  }
  const length = sizes.reduce((product, size) => product * size, 1);
  const values = raw ? floats(raw) : numbers(flat(data));
  if (values.length !== count * length) {
    throw new ProtocolError(`${name} has ${values.length} values, its shape ${count * length}`);
  }
  const tensors = Array.from(
    { length: count },
    (_, index) => values.subarray(index * length, (index + 1) * length),
  );
  return { kind: "tensors", tensors };
}

/** As deep as a shape may be: what is deeper is no number, and without a bound overflows the stack. */
function flat(data: readonly unknown[] | undefined): unknown[] {
  if (data === undefined) throw new ProtocolError("an input has neither data nor binary_data_size");
  return data.flat(MOST_DIMENSIONS);
}

/** `Float32Array.from` with a function took 20 times as long: 0.3 s for 10 MB of JSON (2026-11). */
function numbers(values: readonly unknown[]): Float32Array {
  const result = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== "number") {
      throw new ProtocolError("data of FP32 holds something else than numbers");
    }
    result[i] = value;
  }
  return result;
}

function readImage(value: unknown): Uint8Array<ArrayBuffer> {
  if (typeof value === "string") return readBase64(value);
  throw new ProtocolError("data of BYTES holds something else than base64");
}

function floats(raw: Uint8Array): Float32Array {
  if (raw.length % 4 !== 0) throw new ProtocolError("FP32 is not a multiple of 4 bytes");
  return new Float32Array(raw.slice().buffer);
}
