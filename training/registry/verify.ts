/** Reads everything again and compares: what a pointer names, what a manifest says, what is stored. */
import { ORIGINAL } from "../../shared/manifest.ts";
import { readPointed } from "../../shared/model_registry.ts";
import { readWeights } from "../../shared/registry/weights.ts";
import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import { readPointer } from "../../shared/registry/pointer.ts";
import { asVariant } from "../../shared/variants.ts";
import {
  readSignatures,
  requireSignature,
  type VerifyingKey,
} from "../../shared/registry/signature.ts";
import { manifestKey } from "../../shared/registry/keys.ts";
import { listAliases, readHistory } from "./history.ts";
import { listVersions } from "./versions.ts";

export interface Finding {
  /** What was checked, such as "weights of pets v1". */
  readonly what: string;
  /** Undefined where it is as it should be. */
  readonly problem?: string;
}

/** Checks a model: its weights by length and hash, its aliases, its history, its signatures. */
export async function* verifyModel(
  store: ObjectStore,
  name: string,
  trustedKeys: readonly VerifyingKey[] = [],
): AsyncGenerator<Finding> {
  const hashed = new Set<string>();
  for (const { manifest } of await listVersions(store, name)) {
    const { version, variants = [] } = manifest;
    for (const variant of [ORIGINAL, ...variants.map((other) => other.name)]) {
      const form = asVariant(manifest, variant);
      if (hashed.has(form.weights.sha256)) continue;
      hashed.add(form.weights.sha256);
      const what = variant === ORIGINAL ? "weights" : `${variant} weights`;
      yield await check(`${what} of ${name} ${version}`, () => readWeights(store, form));
    }
    if ((await readSignatures(store, name, version)).length > 0 && trustedKeys.length > 0) {
      yield await check(`signature of ${name} ${version}`, async () => {
        const { bytes } = (await store.get(manifestKey(name, version)))!;
        await requireSignature(store, { name, version, bytes }, trustedKeys);
      });
    }
  }
  for (const alias of await listAliases(store, name)) {
    yield await check(`alias ${alias} of ${name}`, async () => {
      await readPointed(store, name, (await readPointer(store, name, alias))!);
    });
    yield await check(`history of ${alias} of ${name}`, () => requireChain(store, name, alias));
  }
}

/** Moves are numbered without a gap, and each begins where the one before ended. */
async function requireChain(store: ObjectStore, name: string, alias: string): Promise<void> {
  const moves = (await readHistory(store, name, alias)).reverse();
  let before: string | null = null;
  for (const [index, { move, from, version }] of moves.entries()) {
    if (move !== index + 1) throw new Error(`move ${index + 1} is missing`);
    if (from !== before) throw new Error(`move ${move} begins at ${from}, not at ${before}`);
    before = version;
  }
}

async function check(what: string, act: () => Promise<unknown>): Promise<Finding> {
  try {
    await act();
    return { what };
  } catch (error) {
    return { what, problem: (error as Error).message };
  }
}
