import type { ObjectStore } from "../../../shared/object_store/object_store.ts";

/**
 * What time it is where the store is, milliseconds since 1970: machines' own clocks may differ by
 * minutes. Writes and deletes one small object below `probes/`. S3 cuts its times to whole seconds,
 * so up to one has passed since.
 */
export async function storeTime(store: ObjectStore): Promise<number> {
  const key = `probes/${crypto.randomUUID()}`;
  await store.put(key, new Uint8Array([0]));
  try {
    const found = await store.head(key);
    if (found !== null) return found.modifiedAt.getTime();
  } finally {
    await store.delete(key);
  }
  throw new Error(
    `Cannot tell the object store's time: ${key} was removed at once (do not clean up probes/ ` +
      "while a retraining runs)",
  );
}
