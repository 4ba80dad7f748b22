import { createHash } from "node:crypto";
import { type ObjectStore, PreconditionFailedError } from "../object_store/object_store.ts";
import type { CanarySetting } from "./canary.ts";
import { aliasKey, manifestKey, moveKey } from "./keys.ts";
import { parsePointer, type Pointer } from "./pointer.ts";

export interface Move {
  readonly version: string;
  /** Who moves it, and why: both are kept in the history. */
  readonly by: string;
  readonly reason: string;
  /** Moves only from here, null for an alias that names nothing; from anywhere when left out. */
  readonly from?: string | null;
  /**
   * Moves only where the alias was moved so often, 0 for one that names nothing: unlike `from` it
   * sees that an alias went away and came back.
   */
  readonly afterMove?: number;
  readonly canary?: CanarySetting;
}

/** Movers that meet at one alias take turns; more meetings than this are no coincidence. */
const MAX_MEETINGS = 20;

/**
 * Points an alias at a published version by compare-and-swap. The move is in the alias itself and
 * then in the history; whoever moves next writes down the move before, should its mover have died
 * between the two, so the history has no gap.
 *
 * @throws {RangeError} when the version is not published.
 * @throws {PreconditionFailedError} when the alias does not name `from`; nothing is changed then.
 */
export async function moveAlias(
  store: ObjectStore,
  name: string,
  alias: string,
  move: Move,
): Promise<Pointer> {
  const { version, by, reason } = move;
  const manifest = await store.get(manifestKey(name, version));
  if (manifest === null) {
    throw new RangeError(`Cannot move ${alias} of ${name}: version ${version} is not published`);
  }
  const manifestSha256 = createHash("sha256").update(manifest.bytes).digest("hex");
  for (let meetings = 0; meetings < MAX_MEETINGS; meetings++) {
    const object = await store.get(aliasKey(name, alias));
    const current = object && parsePointer(new TextDecoder().decode(object.bytes));
    const from = current?.version ?? null;
    if (move.from !== undefined && move.from !== from) {
      throw new PreconditionFailedError(
        `Cannot move ${alias} of ${name} to ${version}: it names ${from ?? "nothing"}, ` +
          `not ${move.from ?? "nothing"} (${current ? `moved by ${current.by}; ` : ""}look again)`,
      );
    }
    const moves = current?.move ?? 0;
    if (move.afterMove !== undefined && move.afterMove !== moves) {
      throw new PreconditionFailedError(
        `Cannot move ${alias} of ${name} to ${version}: it was moved meanwhile, to ` +
          `${from ?? "nothing"} (${current ? `by ${current.by}; ` : ""}look again)`,
      );
    }
    if (current) await writeDown(store, name, alias, current);
    const pointer: Pointer = {
      version,
      manifestSha256,
      move: moves + 1,
      from,
      movedAt: new Date().toISOString(),
      by,
      reason,
      ...(move.canary ? { canary: move.canary } : {}),
    };
    if (!await swap(store, aliasKey(name, alias), pointer, object?.etag)) continue;
    await writeDown(store, name, alias, pointer);
    return pointer;
  }
  throw new PreconditionFailedError(
    `Cannot move ${alias} of ${name}: others moved it ${MAX_MEETINGS} times meanwhile (try again)`,
  );
}

/** Replaces what has the etag, or nothing; false when somebody else was faster. */
async function swap(
  store: ObjectStore,
  key: string,
  pointer: Pointer,
  etag: string | undefined,
): Promise<boolean> {
  try {
    await store.put(
      key,
      encode(pointer),
      etag === undefined ? { ifNoneMatch: "*" } : {
        ifMatch: etag,
      },
    );
    return true;
  } catch (error) {
    if (error instanceof PreconditionFailedError) return false;
    throw error;
  }
}

/** Puts a move into the history, where it may be already. */
async function writeDown(
  store: ObjectStore,
  name: string,
  alias: string,
  pointer: Pointer,
): Promise<void> {
  try {
    await store.put(moveKey(name, alias, pointer.move), encode(pointer), { ifNoneMatch: "*" });
  } catch (error) {
    if (!(error instanceof PreconditionFailedError)) throw error;
  }
}

function encode(pointer: Pointer): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(pointer, null, 2) + "\n");
}
