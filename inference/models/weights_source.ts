import { DirectoryStore } from "../../shared/object_store/directory.ts";
import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import { openStore } from "../../shared/object_store/open_store.ts";
import { createLog } from "../log.ts";
import { type CachedStore, withWeightsCache } from "./weights_cache.ts";

/** Where weights lie, told so that another thread can open it too. */
export interface WeightsSource {
  /** Of the store. */
  readonly address: string;
  /** A folder that keeps them, see `withWeightsCache`. */
  readonly cache?: {
    readonly folder: string;
    readonly maxBytes: number;
    /** How what goes wrong with it is logged. */
    readonly json: boolean;
  };
}

/** The store to read weights from. Throws as `openStore` does. */
export function openSource({ address, cache }: WeightsSource): ObjectStore & Partial<CachedStore> {
  const origin = openStore(address);
  if (cache === undefined) return origin;
  const { folder, maxBytes, json } = cache;
  const log = createLog({ json });
  return withWeightsCache(origin, { folder: new DirectoryStore(folder), maxBytes, log });
}
