import { type ModelManifest, parseManifest } from "../../shared/manifest.ts";
import { readManifest } from "../../shared/model_registry.ts";
import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import { modelPrefix } from "../../shared/registry/keys.ts";

/** Names of the models of which anything is stored. */
export async function listModels(store: ObjectStore): Promise<string[]> {
  const names = new Set<string>();
  for await (const { key } of store.list("models/")) names.add(key.split("/")[1]!);
  return [...names];
}

export interface PublishedVersion {
  readonly manifest: ModelManifest;
  readonly publishedAt: Date;
}

/** Every published version of a model, the newest first. */
export async function listVersions(store: ObjectStore, name: string): Promise<PublishedVersion[]> {
  const versions: PublishedVersion[] = [];
  for await (const { key, modifiedAt } of store.list(`${modelPrefix(name)}versions/`)) {
    if (!key.endsWith("/manifest.json")) continue;
    const object = await store.get(key);
    if (object === null) continue;
    const manifest = parseManifest(new TextDecoder().decode(object.bytes));
    versions.push({ manifest, publishedAt: modifiedAt });
  }
  return versions.sort((a, b) => b.manifest.createdAt.localeCompare(a.manifest.createdAt));
}

/**
 * A version's manifest.
 *
 * @throws {RangeError} naming the versions there are, when it is none of them.
 */
export async function requireVersion(
  store: ObjectStore,
  name: string,
  version: string,
): Promise<ModelManifest> {
  const manifest = await readManifest(store, name, version);
  if (manifest !== null) return manifest;
  const known = (await listVersions(store, name)).map(({ manifest }) => manifest.version);
  const expected = known.length === 0
    ? `nothing is published under that name; models: ${
      (await listModels(store)).join(", ") || "none"
    }`
    : `expected ${known.join(", ")}`;
  throw new RangeError(`Cannot find ${name} ${version} (${expected})`);
}
