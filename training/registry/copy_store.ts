/** A store's objects into another one: a backup, a restore, a move to another provider. */
import type { ObjectInfo, ObjectStore } from "../../shared/object_store/object_store.ts";

/** Requests at a time: a far bucket answers each in tens of milliseconds, however small the object. */
const TOGETHER = 16;

/** What became of one object. */
export interface Copied {
  readonly key: string;
  readonly byteLength: number;
  /** "there" needed no copy. */
  readonly outcome: "copied" | "there";
}

/**
 * Copies what is missing or different, in an order in which a reader never meets a name for something
 * that is not there yet: weights and images, then what describes them, then the aliases. Can be
 * repeated after a crash; deletes nothing.
 *
 * @throws {Error} when an object is gone before it is read: another writer is at work.
 */
export async function* copyStore(
  from: ObjectStore,
  to: ObjectStore,
): AsyncGenerator<Copied> {
  const present = new Map<string, number>();
  for await (const { key, byteLength } of to.list("")) present.set(key, byteLength);
  for (const wanted of [isContent, isDescription, isAlias]) {
    let together: ObjectInfo[] = [];
    for await (const object of from.list("")) {
      if (!wanted(object.key)) continue;
      together.push(object);
      if (together.length < TOGETHER) continue;
      yield* await copyAll(from, to, together, present);
      together = [];
    }
    yield* await copyAll(from, to, together, present);
  }
}

function copyAll(
  from: ObjectStore,
  to: ObjectStore,
  objects: readonly ObjectInfo[],
  present: ReadonlyMap<string, number>,
): Promise<Copied[]> {
  return Promise.all(objects.map(async ({ key, byteLength }): Promise<Copied> => {
    if (present.get(key) === byteLength && (isContent(key) || await isSame(from, to, key))) {
      return { key, byteLength, outcome: "there" };
    }
    const source = await from.getStream(key);
    if (source === null) {
      throw new Error(`Cannot copy ${key}: it was deleted meanwhile (start the copy again)`);
    }
    await to.put(key, source.stream);
    return { key, byteLength, outcome: "copied" };
  }));
}

const isAlias = (key: string) => /^models\/[^/]+\/aliases\//.test(key);
const isDescription = (key: string) => key.startsWith("models/") && !isAlias(key);
const isContent = (key: string) => !key.startsWith("models/");

/** For what may change at the same length; a blob is named by its hash, an image never rewritten. */
async function isSame(from: ObjectStore, to: ObjectStore, key: string): Promise<boolean> {
  const [source, target] = await Promise.all([from.get(key), to.get(key)]);
  return source !== null && target !== null &&
    source.bytes.length === target.bytes.length &&
    source.bytes.every((byte, index) => byte === target.bytes[index]);
}
