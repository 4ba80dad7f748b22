/** Removes what nothing needs any more. */
import { z } from "zod";
import {
  type ModelManifest,
  parse,
  parseManifest,
  SafeName,
  Sha256,
} from "../../shared/manifest.ts";
import type { ObjectInfo, ObjectStore } from "../../shared/object_store/object_store.ts";
import { latestRunKey } from "../../shared/registry/keys.ts";
import { blobKey } from "../../shared/registry/weights.ts";
import { readPointer } from "../../shared/registry/pointer.ts";
import { stageKey } from "../pipeline/keys.ts";
import { listAliases, readHistory } from "./history.ts";
import { listModels } from "./versions.ts";

export interface GarbageOptions {
  /** Moves of each alias whose versions stay, so that a rollback finds them. */
  readonly keepMoves: number;
  /**
   * Nothing younger is removed: a publisher writes weights first, and nothing names them until its
   * manifest and its pointer are written.
   */
  readonly olderThanMs: number;
  /** The time to count back from, milliseconds since 1970. */
  readonly now: number;
}

/**
 * Objects that no alias, none of its last moves and nothing young needs: versions with all that
 * lies beside them, and weights that no remaining version and no unfinished retraining has. Manifests come before weights, so that a
 * removal that is broken off leaves no version without its weights.
 */
export async function findGarbage(
  store: ObjectStore,
  options: GarbageOptions,
): Promise<ObjectInfo[]> {
  const { olderThanMs, now } = options;
  const old = ({ modifiedAt }: ObjectInfo) => now - modifiedAt.getTime() > olderThanMs;
  const garbage: ObjectInfo[] = [];
  const usedBlobs = new Set<string>();
  for (const name of await listModels(store)) {
    const kept = await keptVersions(store, name, options.keepMoves);
    for (const key of await unpublishedBlobs(store, name)) usedBlobs.add(key);
    for (const [version, objects] of await objectsByVersion(store, name)) {
      const manifest = objects.find(({ key }) => key.endsWith("/manifest.json"));
      if (!kept.has(version) && objects.every(old)) {
        garbage.push(...objects);
      } else if (manifest) {
        const object = await store.get(manifest.key);
        const text = object && new TextDecoder().decode(object.bytes);
        if (text) { for (const key of blobsOf(parseManifest(text))) usedBlobs.add(key); }
      }
    }
  }
  for await (const blob of store.list("blobs/")) {
    if (!usedBlobs.has(blob.key) && old(blob)) garbage.push(blob);
  }
  return garbage;
}

const LatestRunSchema = z.looseObject({ run: SafeName, state: z.string() });
const ExportSchema = z.looseObject({ output: z.looseObject({ sha256: Sha256 }) });

/** What a retraining that was left unfinished exported: it goes on from there, however long it rests. */
async function unpublishedBlobs(store: ObjectStore, name: string): Promise<string[]> {
  const read = async <Value>(key: string, schema: z.ZodType<Value>) => {
    const object = await store.get(key);
    return object && parse(key, schema, new TextDecoder().decode(object.bytes));
  };
  const latest = await read(latestRunKey(name), LatestRunSchema);
  if (latest?.state !== "working" && latest?.state !== "failed") return [];
  const exported = await read(stageKey(name, latest.run, "export"), ExportSchema);
  return exported ? [blobKey(exported.output.sha256)] : [];
}

function blobsOf({ weights, variants = [] }: ModelManifest): string[] {
  return [weights.key, ...variants.map((variant) => variant.weights.key)];
}

async function keptVersions(
  store: ObjectStore,
  name: string,
  keepMoves: number,
): Promise<Set<string>> {
  const kept = new Set<string>();
  for (const alias of await listAliases(store, name)) {
    const pointer = await readPointer(store, name, alias);
    if (pointer) kept.add(pointer.version);
    for (const { version } of (await readHistory(store, name, alias)).slice(0, keepMoves)) {
      kept.add(version);
    }
  }
  return kept;
}

async function objectsByVersion(
  store: ObjectStore,
  name: string,
): Promise<Map<string, ObjectInfo[]>> {
  const versions = new Map<string, ObjectInfo[]>();
  const prefix = `models/${name}/versions/`;
  for await (const object of store.list(prefix)) {
    const version = object.key.slice(prefix.length).split("/")[0]!;
    versions.set(version, [...versions.get(version) ?? [], object]);
  }
  return versions;
}
