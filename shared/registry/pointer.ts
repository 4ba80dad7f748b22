import { z } from "zod";
import { parse, SafeName, Sha256 } from "../manifest.ts";
import type { ObjectStore } from "../object_store/object_store.ts";
import { CanarySettingSchema } from "./canary.ts";
import { aliasKey } from "./keys.ts";

/**
 * Aliases with a meaning of their own; a team may move others as it likes.
 *
 * - latest: published last;
 * - champion: what services answer with;
 * - previous: the champion before;
 * - candidate: waiting for a decision.
 */
export const ALIASES = ["latest", "champion", "previous", "candidate"] as const;

const PointerSchema = z.strictObject({
  version: SafeName,
  /** SHA-256 of the manifest's bytes. */
  manifestSha256: Sha256,
  /** Counts the moves of this alias from 1. */
  move: z.int().positive(),
  /** The version it named before. */
  from: SafeName.nullable(),
  /** ISO 8601 in UTC. */
  movedAt: z.iso.datetime(),
  /** Who, as they call themselves. */
  by: z.string().min(1),
  reason: z.string(),
  /** Of `candidate`: how it meets real requests; it meets none when left out. */
  canary: CanarySettingSchema.exactOptional(),
});

/** What an alias names, and the move that brought it there. */
export type Pointer = z.infer<typeof PointerSchema>;

/** @throws {SyntaxError} for text that is no pointer. */
export function parsePointer(text: string): Pointer {
  return parse("pointer", PointerSchema, text);
}

/** What an alias of a model names, or null when it names nothing. */
export async function readPointer(
  store: ObjectStore,
  name: string,
  alias: string,
): Promise<Pointer | null> {
  const object = await store.get(aliasKey(name, alias));
  return object && parsePointer(new TextDecoder().decode(object.bytes));
}

/** What services answer with: the champion, or where none was ever promoted the latest. */
export async function readLivePointer(store: ObjectStore, name: string): Promise<Pointer | null> {
  // Asked for at once: a service far from its store waits for one answer less.
  const latest = readPointer(store, name, "latest");
  // What is wrong with it is of no interest where there is a champion.
  latest.catch(() => {});
  return await readPointer(store, name, "champion") ?? await latest;
}
