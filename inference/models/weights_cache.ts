import { createHash } from "node:crypto";
import type { DirectoryStore } from "../../shared/object_store/directory.ts";
import {
  type ObjectStore,
  type ObjectStream,
  PreconditionFailedError,
} from "../../shared/object_store/object_store.ts";
import { blobKey } from "../../shared/registry/weights.ts";
import { messageOf } from "../../shared/message_of.ts";
import type { Log } from "../log.ts";

const BLOBS = blobKey("");

export interface WeightsCacheOptions {
  readonly folder: DirectoryStore;
  /** Bytes that stay; the least recently used go first, what was just written never. */
  readonly maxBytes: number;
  readonly log: Log;
}

/** A store whose weights come from a cache. */
export interface CachedStore extends ObjectStore {
  /** Removes a cached file that is not what its key says; false where it is, or is not there. */
  dropAltered(key: string): Promise<boolean>;
}

/**
 * A store whose weights are also kept in a folder, by their SHA-256: a service that starts again reads
 * them from the disk. What comes from there is as anything else to whoever verifies weights by their
 * manifest; who finds them wrong drops them (`dropAltered`) and reads again. What goes wrong with the
 * folder is logged and costs the cache alone.
 */
export function withWeightsCache(store: ObjectStore, options: WeightsCacheOptions): CachedStore {
  return {
    get: (key, range) => store.get(key, range),
    getIfChanged: (key, etag) => store.getIfChanged(key, etag),
    getStream: (key) =>
      key.startsWith(BLOBS) ? weightsOf(store, key, options) : store.getStream(key),
    head: (key) => store.head(key),
    list: (prefix) => store.list(prefix),
    put: (key, body, conditions) => store.put(key, body, conditions),
    delete: (key) => store.delete(key),
    // What is not there yet comes as a stream, and is kept on its way.
    pathOf: (key) => options.folder.pathOf(key).catch(() => null),
    dropAltered: (key) => dropAltered(options.folder, key).catch(() => false),
  };
}

async function weightsOf(
  store: ObjectStore,
  key: string,
  options: WeightsCacheOptions,
): Promise<ObjectStream | null> {
  const { folder, log } = options;
  try {
    const kept = await folder.getStream(key);
    if (kept !== null) {
      await folder.touch(key).catch(() => {});
      return kept;
    }
  } catch (error) {
    log.error("weights_cache_failed", { key, reason: messageOf(error) });
  }
  const object = await store.getStream(key);
  return object && { ...object, stream: object.stream.pipeThrough(keeping(key, options)) };
}

async function dropAltered(folder: DirectoryStore, key: string): Promise<boolean> {
  // A directory store's etag is the SHA-256 of the bytes, read for the purpose.
  const found = await folder.head(key);
  if (found === null || blobKey(found.etag) === key) return false;
  await folder.delete(key);
  return true;
}

/** Writes what passes through, and keeps it where it turns out to be what its key says. */
function keeping(
  key: string,
  { folder, maxBytes, log }: WeightsCacheOptions,
): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  const copy = new TransformStream<Uint8Array, Uint8Array>();
  const writer = copy.writable.getWriter();
  const digest = createHash("sha256");
  // Without room on the disk the service reads on, and only the cache stays as it was.
  const ignore = () => {};
  const kept = folder.put(key, copy.readable, { ifNoneMatch: "*" })
    .then(() => evict(folder, key, maxBytes))
    .catch(async (error) => {
      // Nobody reads the copy any more: what waits to be written must not wait for ever.
      await copy.readable.cancel(error).catch(ignore);
      // Another process was faster, or the download was not what it should be.
      if (error instanceof PreconditionFailedError || error === WRONG) return;
      log.error("weights_cache_failed", { key, reason: messageOf(error) });
    });
  return new TransformStream({
    async transform(chunk, controller) {
      digest.update(chunk);
      // A chunk is its reader's own (getStream), who may be done with it before the disk is.
      await writer.write(chunk.slice()).catch(ignore);
      controller.enqueue(chunk);
    },
    async flush() {
      const whole = blobKey(digest.digest("hex")) === key;
      await (whole ? writer.close() : writer.abort(WRONG)).catch(ignore);
      await kept;
    },
    async cancel() {
      await writer.abort(WRONG).catch(ignore);
      await kept;
    },
  });
}

const WRONG = new Error("the download is not what its name says");

/** Removes the least recently used beyond the bound. */
async function evict(folder: DirectoryStore, latest: string, maxBytes: number): Promise<void> {
  const blobs = (await Array.fromAsync(folder.list(BLOBS.replace(/\/$/, ""))))
    .sort((a, b) => b.modifiedAt.getTime() - a.modifiedAt.getTime());
  let bytes = blobs.find(({ key }) => key === latest)?.byteLength ?? 0;
  for (const { key, byteLength } of blobs) {
    if (key === latest) continue;
    bytes += byteLength;
    if (bytes > maxBytes) await folder.delete(key);
  }
}
