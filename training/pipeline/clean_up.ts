import { join } from "node:path";
import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import { trainingPrefix } from "./keys.ts";

/**
 * Removes what nobody goes on from when a run has ended: its checkpoints in the store, which hold
 * weights twice over (what was published has them too), and on this machine all but the images. Its
 * settings and metrics stay.
 */
export async function cleanUp(
  store: ObjectStore,
  { model, run }: { readonly model: string; readonly run: string },
  work: string,
): Promise<void> {
  const prefix = trainingPrefix(model, run);
  for await (const { key } of store.list(`${prefix}checkpoints`)) await store.delete(key);
  for await (const { name } of Deno.readDir(work)) {
    if (name !== "images") await Deno.remove(join(work, name), { recursive: true });
  }
}
