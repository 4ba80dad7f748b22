/**
 * All that a run needs to go on: weights, momenta, where the loader stood. Everything else is a
 * function of the seed and the step. One file: eight bytes of header length, a JSON header, float32
 * numbers little-endian in ONNX's layout, and the sha256 of all that as the last 32 bytes.
 * @module
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { ParameterValues } from "./graph/parameters.ts";
import { type TrainingState, TrainingStateSchema } from "./training_state.ts";
import { writeAtomically } from "./write_atomically.ts";

export interface Checkpoint {
  readonly model: string;
  readonly state: TrainingState;
  readonly parameters: ParameterValues;
  readonly momenta: ParameterValues;
}

const TensorEntry = z.strictObject({ name: z.string(), length: z.int().nonnegative() });
const HeaderSchema = z.strictObject({
  format: z.literal("topfive checkpoint 2"),
  model: z.string(),
  state: TrainingStateSchema,
  parameters: z.array(TensorEntry),
  momenta: z.array(TensorEntry),
});

const HASH_BYTES = 32;
const LENGTH_BYTES = 8;

export async function saveCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const { model, state, parameters, momenta } = checkpoint;
  const entries = (values: ParameterValues) =>
    [...values].map(([name, { length }]) => ({ name, length }));
  const header = new TextEncoder().encode(JSON.stringify({
    format: "topfive checkpoint 2",
    model,
    state,
    parameters: entries(parameters),
    momenta: entries(momenta),
  }));
  // Numbers start at a multiple of four: spaces are white space in JSON.
  const padded = new Uint8Array(Math.ceil(header.length / 8) * 8).fill(0x20);
  padded.set(header);
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setBigUint64(0, BigInt(padded.length), true);
  const numbers = [...parameters.values(), ...momenta.values()].map((values) =>
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  );
  const chunks = [length, padded, ...numbers];
  const hash = createHash("sha256");
  for (const chunk of chunks) hash.update(chunk);
  await writeAtomically(path, [...chunks, hash.digest()]);
}

/** @throws {SyntaxError} where the file is truncated, altered or none of ours. */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const bytes = await Deno.readFile(path);
  const refuse = (reason: string) => new SyntaxError(`Cannot read checkpoint ${path}: ${reason}`);
  if (bytes.length < LENGTH_BYTES + HASH_BYTES) throw refuse("it is too short");
  const body = bytes.subarray(0, bytes.length - HASH_BYTES);
  const hash = createHash("sha256").update(body).digest();
  if (!hash.equals(bytes.subarray(bytes.length - HASH_BYTES))) {
    throw refuse("it was truncated or altered");
  }
  const headerLength = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const end = LENGTH_BYTES + headerLength;
  if (end > body.length) throw refuse("it has no header");
  const header = parseHeader(body.subarray(LENGTH_BYTES, end));
  if (typeof header === "string") throw refuse(header);
  const { model, state, ...tensors } = header;
  const numbers = [...tensors.parameters, ...tensors.momenta]
    .reduce((sum, { length }) => sum + length, 0);
  if (end + 4 * numbers !== body.length) throw refuse("its numbers are not those of its header");
  let offset = end;
  const take = (entries: z.infer<typeof TensorEntry>[]): ParameterValues =>
    new Map(entries.map(({ name, length }) => {
      const values = new Float32Array(bytes.buffer, offset, length);
      offset += 4 * length;
      return [name, values];
    }));
  return { model, state, parameters: take(tensors.parameters), momenta: take(tensors.momenta) };
}

/** The header, or what is wrong with it. */
function parseHeader(bytes: Uint8Array): z.infer<typeof HeaderSchema> | string {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return "its header is not JSON";
  }
  const result = HeaderSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  return `its header's ${issue!.path.join(".")}: ${issue!.message}`;
}
