import type { ModelManifest } from "../shared/manifest.ts";
import { readManifest, readPointed, readWeights } from "../shared/model_registry.ts";
import type { ObjectStore } from "../shared/object_store/object_store.ts";
import { readLivePointer } from "../shared/registry/pointer.ts";
import { createSession, type Session } from "./session.ts";

/** A model that has run once. */
export interface LoadedModel {
  manifest: ModelManifest;
  session: Session;
  stages: LoadStages;
}

/** Milliseconds of each part of a cold start. */
export type LoadStages = Record<"manifest_ms" | "weights_ms" | "session_ms" | "warmup_ms", number>;

/** Which model, and how it runs. */
export interface LoadOptions {
  /** Address of the store, for messages. */
  store: string;
  /** Undefined: the only one in the store. */
  model?: string | undefined;
  /** Undefined: the champion, or the latest where none was ever promoted. */
  version?: string | undefined;
  threads?: number;
}

/**
 * Store → verified manifest and weights → session that has run once.
 *
 * @throws {RangeError} when the store has no such model or version, or the network is not what the
 * manifest says.
 * @throws {SyntaxError} when the manifest or the weights cannot be parsed.
 * @throws {Error} when manifest or weights are missing or were changed after publishing.
 */
export async function loadModel(store: ObjectStore, options: LoadOptions): Promise<LoadedModel> {
  const started = performance.now();
  const manifest = await findManifest(store, options);
  const described = performance.now();
  const weights = await readWeights(store, manifest);
  const read = performance.now();
  const session = await createSession(weights, manifest, options);
  const created = performance.now();
  await warmUp(session, manifest);
  const ended = performance.now();
  const stages = {
    manifest_ms: Math.round(described - started),
    weights_ms: Math.round(read - described),
    session_ms: Math.round(created - read),
    warmup_ms: Math.round(ended - created),
  };
  return { manifest, session, stages };
}

async function findManifest(store: ObjectStore, options: LoadOptions): Promise<ModelManifest> {
  const { model = await onlyModel(store, options), version } = options;
  const manifest = version === undefined
    ? await readLive(store, model)
    : await readManifest(store, model, version);
  if (manifest !== null) return manifest;
  const models = await publishedModels(store);
  if (models.includes(model)) {
    throw new RangeError(
      `Cannot find version ${version} of ${model} in ${options.store} (leave it out to serve the ` +
        "latest one)",
    );
  }
  throw new RangeError(
    `Cannot find the model ${model} in ${options.store} (${
      models.length === 0 ? NOTHING_PUBLISHED : `published there: ${models.join(", ")}`
    })`,
  );
}

async function readLive(store: ObjectStore, name: string): Promise<ModelManifest | null> {
  const pointer = await readLivePointer(store, name);
  return pointer && await readPointed(store, name, pointer);
}

const NOTHING_PUBLISHED = "nothing is published there: run ./topfive demo, or name another --store";

/** The model to serve when none is named. */
async function onlyModel(store: ObjectStore, options: LoadOptions): Promise<string> {
  const models = await publishedModels(store);
  const [only] = models;
  if (only === undefined) {
    throw new RangeError(`Cannot find a model in ${options.store} (${NOTHING_PUBLISHED})`);
  }
  if (models.length > 1) {
    throw new RangeError(
      `Cannot choose a model: ${options.store} has ${models.join(", ")} (name one with --model)`,
    );
  }
  return only;
}

async function publishedModels(store: ObjectStore): Promise<string[]> {
  const models: string[] = [];
  for await (const { key } of store.list("models/")) {
    const name = /^models\/([^/]+)\/aliases\/latest\.json$/.exec(key)?.[1];
    if (name !== undefined) models.push(name);
  }
  return models;
}

/**
 * The first run takes half as long again as the later ones (SqueezeNet 1.0: 130 instead of 80 ms,
 * 2026-11), and a network that cannot run shows it here before any client meets it.
 */
async function warmUp(session: Session, { name, version, input, output }: ModelManifest) {
  const [, channels, height, width] = input.shape;
  try {
    const probabilities = await session.run(new Float32Array(channels * height * width), 1);
    if (probabilities.length !== output.classes || !probabilities.every(Number.isFinite)) {
      throw new RangeError(
        `Cannot serve ${name} ${version}: a trial run gave ${probabilities.length} values, ` +
          `expected ${output.classes} finite ones (publish the model again)`,
      );
    }
  } catch (error) {
    await session.close();
    throw error;
  }
}
