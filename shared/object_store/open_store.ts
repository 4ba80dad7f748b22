import { fileURLToPath } from "node:url";
import { DirectoryStore } from "./directory.ts";
import type { ObjectStore } from "./object_store.ts";

/**
 * Opens the store at an address: a folder's path or its `file:///` address.
 *
 * @throws {RangeError} for an address of another kind.
 */
export function openStore(address: string): ObjectStore {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(address)?.[1]?.toLowerCase();
  if (scheme === "file") return new DirectoryStore(fileURLToPath(address));
  if (scheme === undefined && address !== "") return new DirectoryStore(address);
  const cause = scheme === undefined ? "it is empty" : `${scheme}:// is not supported`;
  throw new RangeError(
    `Cannot open object store "${address}": ${cause} (expected a folder or file:///folder)`,
  );
}
