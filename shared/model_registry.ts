import { createHash } from "node:crypto";
import {
  MANIFEST_SCHEMA_VERSION,
  type ModelManifest,
  parseManifest,
  type Variant,
} from "./manifest.ts";
import { type ObjectStore, PreconditionFailedError } from "./object_store/object_store.ts";
import { manifestKey } from "./registry/keys.ts";
import { type Move, moveAlias } from "./registry/move_alias.ts";
import type { Pointer } from "./registry/pointer.ts";
import { blobKey } from "./registry/weights.ts";
import { requireSignature, type VerifyingKey } from "./registry/signature.ts";

/** A manifest before its weights are stored. */
export type UnpublishedManifest = Omit<ModelManifest, "schemaVersion" | "weights" | "variants">;

/** A version before it is published. */
export interface UnpublishedModel {
  /** An ONNX file. */
  readonly weights: Uint8Array;
  readonly manifest: UnpublishedManifest;
  /** The most faithful first. */
  readonly variants?: readonly UnpublishedVariant[];
}

export interface UnpublishedVariant {
  readonly weights: Uint8Array;
  readonly description: Omit<Variant, "weights">;
}

/**
 * Publishes a version and points the alias `latest` at it.
 *
 * @throws as {@link registerModel} does.
 */
export async function publishModel(
  store: ObjectStore,
  model: UnpublishedModel,
  who: Pick<Move, "by" | "reason">,
): Promise<ModelManifest> {
  const manifest = await registerModel(store, model);
  await moveAlias(store, manifest.name, "latest", { version: manifest.version, ...who });
  return manifest;
}

/**
 * Publishes a version to which no alias points: weights, then manifest. Nothing is written when the
 * manifest is invalid, and after a crash the same call can be repeated.
 *
 * @throws {SyntaxError} when the manifest breaks a rule.
 * @throws {PreconditionFailedError} when the version exists with other content.
 */
export async function registerModel(
  store: ObjectStore,
  model: UnpublishedModel,
): Promise<ModelManifest> {
  const variants = model.variants?.map(({ weights, description }) => ({
    ...description,
    weights: describe(weights),
  }));
  const manifest = parseManifest({
    schemaVersion: MANIFEST_SCHEMA_VERSION,
    ...model.manifest,
    weights: describe(model.weights),
    ...(variants?.length ? { variants } : {}),
  });
  for (const { weights } of [model, ...model.variants ?? []]) {
    await putOnce(store, blobKey(hash(weights)), weights);
  }
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
  return manifest;
}

/** What a reader of manifests insists on. */
export interface ManifestChecks {
  /** SHA-256 of the manifest's bytes, as a pointer has it. */
  readonly sha256?: string;
  /** Keys of which one must have signed it; no signature is asked for when left out. */
  readonly trustedKeys?: readonly VerifyingKey[];
}

/**
 * The manifest that a pointer names.
 *
 * @throws {Error} when it is missing, not the one that the pointer was moved to or not trusted.
 */
export async function readPointed(
  store: ObjectStore,
  name: string,
  pointer: Pick<Pointer, "version" | "manifestSha256">,
  checks: Pick<ManifestChecks, "trustedKeys"> = {},
): Promise<ModelManifest> {
  const { version, manifestSha256: sha256 } = pointer;
  const manifest = await readManifest(store, name, version, { sha256, ...checks });
  if (manifest !== null) return manifest;
  throw new Error(`Cannot read ${name} ${version}: it is missing from the store`);
}

/**
 * A version's manifest, or null when it is not published.
 *
 * @throws {SyntaxError} when it breaks a rule.
 * @throws {Error} when it describes another model or fails a check.
 */
export async function readManifest(
  store: ObjectStore,
  name: string,
  version: string,
  { sha256, trustedKeys }: ManifestChecks = {},
): Promise<ModelManifest | null> {
  const object = await store.get(manifestKey(name, version));
  if (object === null) return null;
  const { bytes } = object;
  if (sha256 !== undefined && hash(bytes) !== sha256) {
    throw new Error(`Cannot read ${name} ${version}: its manifest was changed after publishing`);
  }
  if (trustedKeys) await requireSignature(store, { name, version, bytes }, trustedKeys);
  const manifest = parseManifest(new TextDecoder().decode(bytes));
  if (manifest.name === name && manifest.version === version) return manifest;
  throw new Error(
    `Cannot read ${name} ${version}: its manifest is that of ${manifest.name} ${manifest.version}`,
  );
}

function describe(weights: Uint8Array): ModelManifest["weights"] {
  const sha256 = hash(weights);
  return { sha256, byteLength: weights.length, key: blobKey(sha256) };
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
