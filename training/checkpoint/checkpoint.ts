/**
 * All that a run needs to go on: where it stood, what it was made of, weights and momenta. One file:
 * eight bytes of header length, a JSON header, float32 numbers little-endian in ONNX's layout, and
 * the sha256 of all that as the last 32 bytes.
 * @module
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { StoredConfigSchema } from "../config.ts";
import type { ParameterValues } from "../graph/parameters.ts";
import { TrainingStateSchema } from "../training_state.ts";
import { CheckpointFile, FORMAT, HASH_BYTES, LENGTH_BYTES } from "./checkpoint_file.ts";

const OriginSchema = z.strictObject({
  codeVersion: z.string(),
  config: StoredConfigSchema,
  adapter: z.string(),
  /** Of each product by problem key: they fix the order of sums, and so the weights' bits. */
  tiles: z.record(z.string(), z.string()),
  dataFingerprint: z.string(),
});

/** What the weights were made of; going on with anything else would end elsewhere. */
export type CheckpointOrigin = z.infer<typeof OriginSchema>;

const TensorEntry = z.strictObject({ name: z.string(), length: z.int().nonnegative() });
const HeaderSchema = z.strictObject({
  format: z.literal(FORMAT),
  origin: OriginSchema,
  state: TrainingStateSchema,
  parameters: z.array(TensorEntry),
  momenta: z.array(TensorEntry),
  /** Of a training in float16. */
  lossScale: z.strictObject({
    scale: z.number().positive(),
    goodSteps: z.int().nonnegative(),
    skipped: z.int().nonnegative(),
  }).exactOptional(),
});

export type CheckpointHeader = Omit<z.infer<typeof HeaderSchema>, "format">;

export interface Checkpoint extends Pick<CheckpointHeader, "origin" | "state" | "lossScale"> {
  readonly parameters: ParameterValues;
  readonly momenta: ParameterValues;
}

/** Writes what is in memory; a training streams instead, see `CheckpointKeeper`. */
export function saveCheckpoint(path: string, checkpoint: Checkpoint): void {
  const { parameters, momenta, ...rest } = checkpoint;
  const entries = (values: ParameterValues) =>
    [...values].map(([name, { length }]) => ({ name, length }));
  const header = { ...rest, parameters: entries(parameters), momenta: entries(momenta) };
  using file = new CheckpointFile(path, header);
  for (const values of [...parameters.values(), ...momenta.values()]) file.add(values);
  file.commit();
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
  const { format: _, parameters, momenta, ...rest } = header;
  const numbers = [...parameters, ...momenta]
    .reduce((sum, { length }) => sum + length, 0);
  if (end + 4 * numbers !== body.length) throw refuse("its numbers are not those of its header");
  let offset = end;
  const take = (entries: z.infer<typeof TensorEntry>[]): ParameterValues =>
    new Map(entries.map(({ name, length }) => {
      const values = new Float32Array(bytes.buffer, offset, length);
      offset += 4 * length;
      return [name, values];
    }));
  return { ...rest, parameters: take(parameters), momenta: take(momenta) };
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
