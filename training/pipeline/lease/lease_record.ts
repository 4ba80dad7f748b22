import { z } from "zod";
import { parse, SafeName } from "../../../shared/manifest.ts";
import {
  type ObjectStore,
  PreconditionFailedError,
} from "../../../shared/object_store/object_store.ts";
import { CanarySettingSchema } from "../../../shared/registry/canary.ts";

const IntentSchema = z.strictObject({
  alias: SafeName,
  version: SafeName,
  by: z.string().min(1),
  reason: z.string(),
  /** What the alias named, and how often it had been moved, when it was decided. */
  from: SafeName.nullable(),
  afterMove: z.int().nonnegative(),
  /** Of `candidate`: how it meets real requests. */
  canary: CanarySettingSchema.exactOptional(),
});

/** A move of an alias that the lease's holder has decided on. */
export type Intent = z.infer<typeof IntentSchema>;

const LeaseSchema = z.strictObject({
  /** Counts the holders from 1: of two, the one with the greater number came later. */
  token: z.int().positive(),
  /** Null once it was given back. */
  holder: z.string().min(1).nullable(),
  /** How long it lasts, counted by the store's clock from when it wrote this. */
  seconds: z.number().positive(),
  /** Makes every writing another one: its etag says that the lease was renewed meanwhile. */
  renewals: z.int().nonnegative(),
  /** By the holder's clock, for people. */
  takenAt: z.iso.datetime(),
  intent: IntentSchema.nullable(),
});

export type LeaseRecord = z.infer<typeof LeaseSchema>;

export interface StoredLease {
  readonly record: LeaseRecord;
  readonly etag: string;
  /** By the store's clock. */
  readonly writtenAt: number;
}

/** @throws {SyntaxError} when it is damaged. */
export async function readLease(store: ObjectStore, key: string): Promise<StoredLease | null> {
  while (true) {
    const object = await store.get(key);
    if (object === null) return null;
    const head = await store.head(key);
    // Between the two somebody renewed it: the time would be that of another writing.
    if (head?.etag !== object.etag) continue;
    return {
      record: parse("lease", LeaseSchema, new TextDecoder().decode(object.bytes)),
      etag: object.etag,
      writtenAt: head.modifiedAt.getTime(),
    };
  }
}

/** Writes it over what has the etag, or where there is nothing; null when that is no longer so. */
export async function swapLease(
  store: ObjectStore,
  key: string,
  record: LeaseRecord,
  etag: string | undefined,
): Promise<string | null> {
  const bytes = new TextEncoder().encode(JSON.stringify(record, null, 2) + "\n");
  try {
    const condition = etag === undefined ? { ifNoneMatch: "*" as const } : { ifMatch: etag };
    return (await store.put(key, bytes, condition)).etag;
  } catch (error) {
    if (error instanceof PreconditionFailedError) return null;
    throw error;
  }
}
