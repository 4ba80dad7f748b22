import { createHash } from "node:crypto";
import type { PublishedFile } from "./published_sets.ts";

/**
 * Why a file on disk is not the published one, or null where it is: by its size and sha256, or,
 * packed anew by a mirror, by the sha256 of what it unpacks to.
 */
export async function differenceFrom(path: string, file: PublishedFile): Promise<string | null> {
  const { size } = await Deno.stat(path);
  const { readable } = await Deno.open(path);
  const sha256 = await hashOf(readable);
  if (size === file.bytes && sha256 === file.sha256) return null;
  if (file.unpackedSha256 && await unpackedHash(path) === file.unpackedSha256) return null;
  return size === file.bytes
    ? `its sha256 is ${sha256} (expected ${file.sha256})`
    : `it has ${size} bytes (expected ${file.bytes})`;
}

async function hashOf(bytes: ReadableStream<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of bytes) hash.update(chunk);
  return hash.digest("hex");
}

/** Null where it is no gzip. */
async function unpackedHash(path: string): Promise<string | null> {
  const { readable } = await Deno.open(path);
  try {
    return await hashOf(readable.pipeThrough(new DecompressionStream("gzip")));
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}
