import type { z } from "zod";
import { InferRequest, type OutputTensor } from "./schema.ts";

/** Thrown for requests that break the protocol; the answer is 400 with `{"error": …}`. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

/** A request, and the raw bytes of inputs that came behind the JSON (Triton's binary extension). */
export interface ParsedRequest {
  readonly request: InferRequest;
  readonly raw: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/**
 * Splits a body at `Inference-Header-Content-Length` and gives each input its `binary_data_size`
 * bytes.
 *
 * @throws {ProtocolError} when lengths or JSON are wrong.
 */
export function parseRequest(
  body: Uint8Array<ArrayBuffer>,
  headerLength: string | undefined,
): ParsedRequest {
  const length = headerLength === undefined ? body.length : Number(headerLength);
  if (!Number.isInteger(length) || length < 0 || length > body.length) {
    throw new ProtocolError(`Inference-Header-Content-Length is ${headerLength}`);
  }
  const request = parseJson(body.subarray(0, length), InferRequest);
  const raw = new Map<string, Uint8Array<ArrayBuffer>>();
  let at = length;
  for (const { name, parameters } of request.inputs) {
    const size = parameters?.["binary_data_size"];
    if (size === undefined) continue;
    if (
      typeof size !== "number" || !Number.isInteger(size) || size < 0 || at + size > body.length
    ) {
      throw new ProtocolError(`binary_data_size of ${name} is ${size}`);
    }
    raw.set(name, body.subarray(at, at + size));
    at += size;
  }
  return { request, raw };
}

/** @throws {ProtocolError} when the bytes are no JSON, or not what the schema says. */
export function parseJson<Body>(bytes: Uint8Array, schema: z.ZodType<Body>): Body {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new ProtocolError("the JSON is broken");
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ProtocolError(`${issue!.path.join(".")}: ${issue!.message}`);
}

/** BYTES: each element a little-endian length of 32 bits and its bytes. */
export function splitBytes(raw: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const elements: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < raw.length;) {
    const start = at + 4;
    const end = start > raw.length ? Infinity : start + view.getUint32(at, true);
    if (end > raw.length) throw new ProtocolError("a BYTES element ends beyond its tensor");
    elements.push(raw.subarray(start, end));
    at = end;
  }
  return elements;
}

/** An output's bytes as they leave behind the JSON. */
export function packOutput({ values }: OutputTensor): Uint8Array<ArrayBuffer> {
  if (values instanceof Float32Array) return new Uint8Array(new Float32Array(values).buffer);
  const elements = values.map((value) => new TextEncoder().encode(value));
  const packed = new Uint8Array(elements.reduce((sum, { length }) => sum + 4 + length, 0));
  const view = new DataView(packed.buffer);
  let at = 0;
  for (const element of elements) {
    view.setUint32(at, element.length, true);
    packed.set(element, at + 4);
    at += 4 + element.length;
  }
  return packed;
}
