import { createHash } from "node:crypto";
import {
  type LatestPointer,
  MANIFEST_SCHEMA_VERSION,
  type ModelManifest,
  parseLatestPointer,
  parseManifest,
  parseSafeName,
} from "./manifest.ts";
import { type ObjectStore, PreconditionFailedError } from "./object_store/object_store.ts";

// blobs/sha256/<hex>                            weights, by their content: shared, never changed
// models/<name>/versions/<version>/manifest.json  never changed
// models/<name>/latest.json                     moved last, so that it never names half a model

/** A manifest before its weights are stored. */
export type UnpublishedManifest = Omit<ModelManifest, "schemaVersion" | "weights">;

function blobKey(sha256: string): string {
  return `blobs/sha256/${sha256}`;
}

function manifestKey(name: string, version: string): string {
  const model = parseSafeName("model name", name);
  return `models/${model}/versions/${parseSafeName("model version", version)}/manifest.json`;
}

function latestKey(name: string): string {
  return `models/${parseSafeName("model name", name)}/latest.json`;
}

/**
 * Publishes a version: weights, then manifest, then the `latest` pointer. Nothing is written when
 * the manifest is invalid, and after a crash the same call can be repeated.
 *
 * @throws {SyntaxError} when the manifest breaks a rule.
 * @throws {PreconditionFailedError} when the version exists with other content.
 */
export async function publishModel(
  store: ObjectStore,
  model: { readonly weights: Uint8Array; readonly manifest: UnpublishedManifest },
): Promise<ModelManifest> {
  const { weights } = model;
  const sha256 = hash(weights);
  const manifest = parseManifest({
    schemaVersion: MANIFEST_SCHEMA_VERSION,
    ...model.manifest,
    weights: { sha256, byteLength: weights.length, key: blobKey(sha256) },
  });
  await putOnce(store, blobKey(sha256), weights);
  const text = new TextEncoder().encode(JSON.stringify(manifest, null, 2) + "\n");
  const { name, version } = manifest;
  if (!await putOnce(store, manifestKey(name, version), text)) {
    const present = await store.get(manifestKey(name, version));
    if (present === null || hash(present.bytes) !== hash(text)) {
      throw new PreconditionFailedError(
        `Cannot publish ${name} ${version}: the version exists already with other content ` +
          `(publish under a new version)`,
      );
    }
  }
  await moveLatest(store, name, version);
  return manifest;
}

/**
 * Points `latest` at a version that is published, a newer or an older one.
 *
 * @throws {RangeError} when the version is not published.
 */
export async function moveLatest(
  store: ObjectStore,
  name: string,
  version: string,
): Promise<LatestPointer> {
  const manifest = await store.get(manifestKey(name, version));
  if (manifest === null) {
    throw new RangeError(`Cannot move latest of ${name}: version ${version} is not published`);
  }
  const pointer: LatestPointer = {
    version,
    manifestSha256: hash(manifest.bytes),
    movedAt: new Date().toISOString(),
  };
  await store.put(latestKey(name), new TextEncoder().encode(JSON.stringify(pointer) + "\n"));
  return pointer;
}

/** The `latest` pointer alone, for asking often whether it moved; null when nothing is published. */
export async function readLatestPointer(
  store: ObjectStore,
  name: string,
): Promise<LatestPointer | null> {
  const object = await store.get(latestKey(name));
  return object && parseLatestPointer(new TextDecoder().decode(object.bytes));
}

/**
 * The manifest that `latest` names, or null when nothing is published under the name.
 *
 * @throws {Error} when it is missing or not the one that the pointer was moved to.
 */
export async function readLatest(store: ObjectStore, name: string): Promise<ModelManifest | null> {
  const pointer = await readLatestPointer(store, name);
  if (pointer === null) return null;
  const { version, manifestSha256 } = pointer;
  const manifest = await readManifest(store, name, version, manifestSha256);
  if (manifest !== null) return manifest;
  throw new Error(`Cannot read latest ${name}: its version ${version} is missing from the store`);
}

/**
 * A version's manifest, or null when it is not published.
 *
 * @throws {SyntaxError} when it breaks a rule.
 * @throws {Error} when it describes another model or has another hash than `sha256`.
 */
export async function readManifest(
  store: ObjectStore,
  name: string,
  version: string,
  sha256?: string,
): Promise<ModelManifest | null> {
  const object = await store.get(manifestKey(name, version));
  if (object === null) return null;
  if (sha256 !== undefined && hash(object.bytes) !== sha256) {
    throw new Error(`Cannot read ${name} ${version}: its manifest was changed after publishing`);
  }
  const manifest = parseManifest(new TextDecoder().decode(object.bytes));
  if (manifest.name === name && manifest.version === version) return manifest;
  throw new Error(
    `Cannot read ${name} ${version}: its manifest is that of ${manifest.name} ${manifest.version}`,
  );
}

/**
 * The weights of a manifest (an ONNX file), verified against its length and SHA-256.
 *
 * @throws {Error} when they are missing or other than the manifest says.
 */
export async function readWeights(
  store: ObjectStore,
  manifest: ModelManifest,
): Promise<Uint8Array<ArrayBuffer>> {
  const { key, byteLength, sha256 } = manifest.weights;
  const action = `Cannot read weights of ${manifest.name} ${manifest.version}`;
  const object = await store.getStream(key);
  if (object === null) throw new Error(`${action}: ${key} is missing from the store`);
  if (object.byteLength !== byteLength) {
    await object.stream.cancel();
    throw new Error(`${action}: ${key} has ${object.byteLength} bytes (expected ${byteLength})`);
  }
  const weights = new Uint8Array(byteLength);
  const digest = createHash("sha256");
  let at = 0;
  for await (const chunk of object.stream) {
    if (at + chunk.length > byteLength) throw new Error(`${action}: ${key} grew while it was read`);
    weights.set(chunk, at);
    digest.update(chunk);
    at += chunk.length;
  }
  const found = digest.digest("hex");
  if (at === byteLength && found === sha256) return weights;
  throw new Error(`${action}: ${key} has SHA-256 ${found} (expected ${sha256})`);
}

/** Writes an object that is never changed; false when it was there before. */
async function putOnce(store: ObjectStore, key: string, bytes: Uint8Array): Promise<boolean> {
  try {
    await store.put(key, bytes, { ifNoneMatch: "*" });
    return true;
  } catch (error) {
    if (error instanceof PreconditionFailedError) return false;
    throw error;
  }
}

function hash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
