import { z } from "zod";
import { parse } from "../../../shared/manifest.ts";
import {
  type ObjectStore,
  PreconditionFailedError,
} from "../../../shared/object_store/object_store.ts";
import type { SplitName } from "../../prepare/sources/source.ts";

const SplitRuleSchema = z.strictObject({
  testShare: z.number().gt(0).lt(1),
  validationShare: z.number().gt(0).lt(1),
});

/** Which images are held out: a function of their content alone. */
export type SplitRule = z.infer<typeof SplitRuleSchema>;

/**
 * The model's rule: the one that is kept in the store, which is written where there is none. It never
 * changes, so an image stays in its split for ever, and a test set only grows.
 */
export async function keepSplitRule(
  store: ObjectStore,
  key: string,
  wanted: SplitRule,
): Promise<SplitRule> {
  const { testShare, validationShare } = wanted;
  const text = JSON.stringify({ testShare, validationShare }, null, 2) + "\n";
  try {
    await store.put(key, new TextEncoder().encode(text), { ifNoneMatch: "*" });
  } catch (error) {
    if (!(error instanceof PreconditionFailedError)) throw error;
  }
  return await readSplitRule(store, key) ?? { testShare, validationShare };
}

/** Null where the model has none yet. */
export async function readSplitRule(store: ObjectStore, key: string): Promise<SplitRule | null> {
  const object = await store.get(key);
  return object && parse("split rule", SplitRuleSchema, new TextDecoder().decode(object.bytes));
}

/** @param sha256 of the image's file, hex */
export function splitOf(sha256: string, { testShare, validationShare }: SplitRule): SplitName {
  const part = parseInt(sha256.slice(0, 8), 16) / 2 ** 32;
  if (part < testShare) return "test";
  return part < testShare + validationShare ? "validation" : "train";
}
