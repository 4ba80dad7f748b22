import { createHash } from "node:crypto";
import { free } from "../free.ts";
import type { ModelManifest } from "../manifest.ts";
import type { ObjectStore, ObjectStream } from "../object_store/object_store.ts";

/** What a manifest says of its weights. */
export type WeightsOf = Pick<ModelManifest, "name" | "version" | "weights">;

/** Where weights lie: see `keys.ts`. */
export function blobKey(sha256: string): string {
  return `blobs/sha256/${sha256}`;
}

/** Weights that are other bytes than their manifest says. */
export class ChangedWeightsError extends Error {
  override readonly name = "ChangedWeightsError";
}

/**
 * The weights of a manifest (an ONNX file), verified against its length and SHA-256.
 *
 * @throws {ChangedWeightsError} when they are other than the manifest says.
 * @throws {Error} when they are missing.
 */
export async function readWeights(
  store: ObjectStore,
  manifest: WeightsOf,
): Promise<Uint8Array<ArrayBuffer>> {
  const weights = new Uint8Array(manifest.weights.byteLength);
  let at = 0;
  for await (const chunk of streamWeights(store, manifest)) {
    weights.set(chunk, at);
    at += chunk.length;
  }
  return weights;
}

/**
 * The same as they come from the store, each chunk gone when the next one is asked for: left to the
 * garbage collector, tens of megabytes of them lie about (AlexNet in int8: 110 MB of 310, 2026-11).
 * Whether the SHA-256 is right is known at the very end alone: use nothing of them before.
 *
 * Throws as `readWeights` does.
 */
export function streamWeights(
  store: ObjectStore,
  manifest: WeightsOf,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  // Asked for at once, whatever the reader does before it begins.
  const opening = store.getStream(manifest.weights.key);
  opening.catch(() => {});
  return verified(opening, manifest);
}

async function* verified(
  opening: Promise<ObjectStream | null>,
  { name, version, weights: { key, byteLength, sha256 } }: WeightsOf,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const changed = (how: string) =>
    new ChangedWeightsError(`Cannot read weights of ${name} ${version}: ${key} ${how}`);
  const object = await opening;
  if (object === null) {
    throw new Error(
      `Cannot read weights of ${name} ${version}: ${key} is missing from the store`,
    );
  }
  if (object.byteLength !== byteLength) {
    await object.stream.cancel();
    throw changed(`has ${object.byteLength} bytes (expected ${byteLength})`);
  }
  const digest = createHash("sha256");
  let length = 0;
  for await (const chunk of object.stream) {
    length += chunk.length;
    if (length > byteLength) throw changed("grew while it was read");
    digest.update(chunk);
    yield chunk;
    free(new Uint8Array(chunk.buffer));
  }
  const found = digest.digest("hex");
  if (found !== sha256) throw changed(`has SHA-256 ${found} (expected ${sha256})`);
}
