import type { ModelManifest } from "../../shared/manifest.ts";
import { readManifest, readPointed } from "../../shared/model_registry.ts";
import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import { type Pointer, readLivePointer } from "../../shared/registry/pointer.ts";
import type { VerifyingKey } from "../../shared/registry/signature.ts";

/** A store and the address that messages call it by. */
export interface NamedStore {
  readonly store: ObjectStore;
  readonly address: string;
  /** Keys of which one must have signed what is read; no signature is asked for when left out. */
  readonly trustedKeys?: Promise<readonly VerifyingKey[] | undefined>;
}

/**
 * The manifest of a model's version, or of what services answer with: as a pointer that was read names
 * it, or as the store's own does now.
 *
 * @throws {RangeError} when the store has no such model or version.
 * @throws {SyntaxError} when the manifest breaks a rule.
 * @throws {UntrustedError} when no trusted key signed it.
 * @throws {Error} when it was changed after publishing.
 */
export async function findManifest(
  { store, address, ...trust }: NamedStore,
  model: string,
  wanted?: string | Pointer,
): Promise<ModelManifest> {
  const trustedKeys = await trust.trustedKeys;
  const checks = trustedKeys ? { trustedKeys } : {};
  const which = wanted ?? await readLivePointer(store, model);
  const manifest = typeof which === "string"
    ? await readManifest(store, model, which, checks)
    : which && await readPointed(store, model, which, checks);
  if (manifest !== null) return manifest;
  const models = await publishedModels(store);
  if (models.includes(model)) {
    throw new RangeError(
      `Cannot find version ${wanted} of ${model} in ${address} (leave it out to serve the ` +
        "latest one)",
    );
  }
  throw new RangeError(
    `Cannot find the model ${model} in ${address} (${
      models.length === 0 ? NOTHING_PUBLISHED : `published there: ${models.join(", ")}`
    })`,
  );
}

const NOTHING_PUBLISHED = "nothing is published there: run ./topfive demo, or name another --store";

/**
 * The models to serve: those that are named, separated by commas, or all of the store's.
 *
 * @throws {RangeError} when the store has none.
 */
export async function modelsToServe(
  { store, address }: NamedStore,
  named: string | undefined,
): Promise<string[]> {
  const names = named?.split(",").map((name) => name.trim()).filter((name) => name !== "");
  if (names?.length) return [...new Set(names)];
  const models = await publishedModels(store);
  if (models.length > 0) return models;
  throw new RangeError(`Cannot find a model in ${address} (${NOTHING_PUBLISHED})`);
}

async function publishedModels(store: ObjectStore): Promise<string[]> {
  const models = new Set<string>();
  for await (const { key } of store.list("models/")) {
    const name = /^models\/([^/]+)\/aliases\/[^/]+\.json$/.exec(key)?.[1];
    if (name !== undefined) models.add(name);
  }
  return [...models];
}
