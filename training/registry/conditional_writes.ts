import {
  type ObjectStore,
  PreconditionFailedError,
} from "../../shared/object_store/object_store.ts";

/**
 * Requires a store that keeps the conditions of a put, which moving pointers safely rests on: some
 * that speak S3 accept the headers and overwrite all the same. Writes and deletes one small object
 * below `probes/`.
 *
 * @throws {Error} when the store ignores a condition.
 */
export async function requireConditionalWrites(store: ObjectStore): Promise<void> {
  const key = `probes/${crypto.randomUUID()}`;
  const first = await store.put(key, new Uint8Array([1]));
  try {
    const second = await store.put(key, new Uint8Array([2]), { ifMatch: first.etag });
    if (second.etag === first.etag) throw ignored("etags");
    await requireRefusal(store, key, "If-None-Match", { ifNoneMatch: "*" });
    await requireRefusal(store, key, "If-Match", { ifMatch: first.etag });
  } finally {
    await store.delete(key);
  }
}

async function requireRefusal(
  store: ObjectStore,
  key: string,
  header: string,
  options: { readonly ifNoneMatch: "*" } | { readonly ifMatch: string },
): Promise<void> {
  try {
    await store.put(key, new Uint8Array([3]), options);
  } catch (error) {
    if (error instanceof PreconditionFailedError) return;
    throw error;
  }
  throw ignored(header);
}

function ignored(what: string): Error {
  return new Error(
    `Cannot move pointers in this object store: it does not keep ${what}, so two writers could ` +
      `overwrite each other unseen (use one with conditional writes: Amazon S3, R2, MinIO, ` +
      `versitygw, or a folder)`,
  );
}
