/** What services answer with, changed on purpose: promoted, and taken back. */
import { requireConditionalWrites } from "./conditional_writes.ts";
import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import { moveAlias } from "../../shared/registry/move_alias.ts";
import { type Pointer, readPointer } from "../../shared/registry/pointer.ts";

export interface Decision {
  /** Who decided, and why: both are kept in the history. */
  readonly by: string;
  readonly reason: string;
}

/**
 * Makes a version the champion and the champion before it `previous`.
 *
 * @param from promotes only over this champion, null over none; over any when left out
 * @throws {RangeError} when the version is not published.
 * @throws {PreconditionFailedError} when another version is the champion.
 * @throws {Error} when the store ignores conditions.
 */
export async function promote(
  store: ObjectStore,
  name: string,
  version: string,
  decision: Decision,
  from?: string | null,
): Promise<Pointer> {
  await requireConditionalWrites(store);
  const condition = from === undefined ? {} : { from };
  const champion = await moveAlias(store, name, "champion", { version, ...decision, ...condition });
  if (champion.from !== null && champion.from !== version) {
    await moveAlias(store, name, "previous", { version: champion.from, ...decision });
  }
  return champion;
}

/**
 * Makes the champion before this one the champion again, or the version that is named.
 *
 * @throws {RangeError} when there is nothing to go back to.
 */
export async function rollback(
  store: ObjectStore,
  name: string,
  decision: Decision,
  to?: string,
): Promise<Pointer> {
  const champion = await readPointer(store, name, "champion");
  if (champion === null) {
    throw new RangeError(`Cannot roll back ${name}: no version of it was ever promoted`);
  }
  const version = to ?? champion.from;
  if (version === null) {
    throw new RangeError(
      `Cannot roll back ${name}: ${champion.version} is its first champion ` +
        `(name another version with --to)`,
    );
  }
  return await promote(store, name, version, decision, champion.version);
}
