import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import { readWeights, streamWeights, type WeightsOf } from "../../shared/registry/weights.ts";
import type { Weights } from "./session.ts";

/** The weights of a published version, read as the engine wants them and verified in each way. */
export function publishedWeights(store: ObjectStore, manifest: WeightsOf): Weights {
  const { key, sha256 } = manifest.weights;
  return {
    stream: () => streamWeights(store, manifest),
    whole: () => readWeights(store, manifest),
    file: async () => {
      const path = await store.pathOf?.(key) ?? null;
      return path === null ? null : { path, sha256 };
    },
  };
}
