/** What services answer with, changed on purpose: promoted, and taken back. */
import { requireConditionalWrites } from "./conditional_writes.ts";
import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import { type Move, moveAlias } from "../../shared/registry/move_alias.ts";
import { type Pointer, readPointer } from "../../shared/registry/pointer.ts";

export interface Decision {
  /** Who decided, and why: both are kept in the history. */
  readonly by: string;
  readonly reason: string;
}

/**
 * Makes a version the champion and the champion before it `previous`.
 *
 * @param condition promotes only over the champion `from`, null over none, and only where the alias
 * was moved so often; over any when left out
 * @throws {RangeError} when the version is not published.
 * @throws {PreconditionFailedError} when another version is the champion.
 * @throws {Error} when the store ignores conditions.
 */
export async function promote(
  store: ObjectStore,
  name: string,
  version: string,
  decision: Decision,
  condition: Pick<Move, "from" | "afterMove"> = {},
): Promise<Pointer> {
  await requireConditionalWrites(store);
  const champion = await moveAlias(store, name, "champion", { version, ...decision, ...condition });
  await keepPrevious(store, name, champion);
  return champion;
}

/**
 * Points `previous` at the champion before this one, the second half of a promotion; where it does
 * already nothing is moved.
 */
export async function keepPrevious(
  store: ObjectStore,
  name: string,
  { from, version, by, reason }: Pointer,
): Promise<void> {
  if (from === null || from === version) return;
  if ((await readPointer(store, name, "previous"))?.version === from) return;
  await moveAlias(store, name, "previous", { version: from, by, reason });
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
  return await promote(store, name, version, decision, { from: champion.version });
}
