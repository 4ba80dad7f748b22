import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import { historyPrefix, modelPrefix } from "../../shared/registry/keys.ts";
import { parsePointer, type Pointer, readPointer } from "../../shared/registry/pointer.ts";

/** The aliases that a model has, in the order of their names. */
export async function listAliases(store: ObjectStore, name: string): Promise<string[]> {
  const prefix = `${modelPrefix(name)}aliases/`;
  const aliases: string[] = [];
  for await (const { key } of store.list(prefix)) {
    aliases.push(key.slice(prefix.length).replace(/\.json$/, ""));
  }
  return aliases;
}

/** Every move of an alias, the last one first. */
export async function readHistory(
  store: ObjectStore,
  name: string,
  alias: string,
): Promise<Pointer[]> {
  const moves: Pointer[] = [];
  for await (const { key } of store.list(historyPrefix(name, alias))) {
    const object = await store.get(key);
    if (object) moves.push(parsePointer(new TextDecoder().decode(object.bytes)));
  }
  moves.reverse();
  // A mover that died after the move left it to the next one to write it down.
  const current = await readPointer(store, name, alias);
  if (current && current.move !== moves[0]?.move) moves.unshift(current);
  return moves;
}
