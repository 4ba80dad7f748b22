/**
 * The images that retraining knows of, one JSON object a line: what is stored where, what it is said
 * to show, and what was seen in it. Whether an image is used follows from all of them together, see
 * `judge.ts`.
 * @module
 */
import { z } from "zod";
import { parse, Sha256 } from "../../../shared/manifest.ts";
import type { ObjectStore } from "../../../shared/object_store/object_store.ts";

/** What is measured in an image, to notice when images change. */
export const FEATURES = [
  "brightness",
  "contrast",
  "saturation",
  "sharpness",
  "log2 of pixels",
] as const;

const SeenSchema = z.union([
  z.strictObject({
    width: z.int().positive(),
    height: z.int().positive(),
    /** See `look.ts`: images that look alike differ in few bits. */
    look: z.string().regex(/^[0-9a-f]{16}$/),
    features: z.array(z.number()).length(FEATURES.length),
  }),
  /** Why it cannot be read. */
  z.strictObject({ broken: z.string() }),
]);

/** What was seen in an image. */
export type Seen = z.infer<typeof SeenSchema>;

const ImageRecordSchema = z.strictObject({
  key: z.string().min(1),
  byteLength: z.int().nonnegative(),
  /** Milliseconds since 1970, as the store tells them; of the sidecar where that has the label. */
  modifiedAt: z.number(),
  labelledAt: z.number().nullable(),
  label: z.string().min(1),
  /** Null where it could not be fetched. */
  sha256: Sha256.nullable(),
  /** The run that found it. */
  since: z.string().min(1),
  /** Null before it was looked at. */
  seen: SeenSchema.nullable(),
});

export type ImageRecord = z.infer<typeof ImageRecordSchema>;

/** @throws {Error} when the list is missing, {SyntaxError} when it is damaged. */
export async function readRecords(store: ObjectStore, key: string): Promise<ImageRecord[]> {
  const object = await store.get(key);
  if (object === null) throw new Error(`Cannot read ${key}: it is missing from the store`);
  const lines = new TextDecoder().decode(object.bytes).split("\n").filter((line) => line !== "");
  return lines.map((line, i) => parse(`line ${i + 1} of ${key}`, ImageRecordSchema, line));
}

export function encodeRecords(records: readonly ImageRecord[]): Uint8Array {
  return new TextEncoder().encode(records.map((record) => JSON.stringify(record) + "\n").join(""));
}
