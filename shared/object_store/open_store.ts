import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { DirectoryStore } from "./directory.ts";
import type { ObjectStore } from "./object_store.ts";
import { profileFiles, readS3Location, S3_VARIABLES } from "./s3/location.ts";
import { S3Store } from "./s3/s3_store.ts";

/**
 * Opens the store at an address: a folder's path, its `file:///` address, or a bucket as
 * `s3://bucket/prefix` (see `readS3Location`).
 *
 * @throws {RangeError} for an address of another kind.
 * @throws {SyntaxError} for an s3 address that cannot be read.
 * @throws {Error} when there are no credentials for the bucket.
 */
export function openStore(address: string): ObjectStore {
  const place = readAddress(address);
  if ("folder" in place) return new DirectoryStore(place.folder);
  return new S3Store(readS3Location(place.bucket, { env, readFile: readIfThere }));
}

/**
 * The address of a store that is part of another one: keys of it are keys of the other below `folder/`.
 *
 * @throws {RangeError} as `openStore` does.
 */
export function addressBelow(address: string, folder: string): string {
  const place = readAddress(address);
  if ("folder" in place) return join(place.folder, folder);
  const [path = "", query] = place.bucket.split("?", 2);
  return `${path.replace(/\/$/, "")}/${folder}${query === undefined ? "" : `?${query}`}`;
}

/** What Deno must allow so that a store can be opened and used. */
export interface StorePermissions {
  readonly read: readonly string[];
  /** host:port */
  readonly net: readonly string[];
  readonly env: readonly string[];
}

/** The permissions of the store at an address; throws as `openStore` does. */
export function storePermissions(address: string): StorePermissions {
  const place = readAddress(address);
  if ("folder" in place) return { read: [resolve(place.folder)], net: [], env: [] };
  const { endpoint, bucket, pathStyle } = readS3Location(place.bucket, {
    env,
    readFile: readIfThere,
  });
  const { hostname, port, protocol } = new URL(endpoint);
  const host = pathStyle ? hostname : `${bucket}.${hostname}`;
  return {
    read: env("AWS_ACCESS_KEY_ID") === undefined ? profileFiles(env) : [],
    net: [`${host}:${port || (protocol === "https:" ? 443 : 80)}`],
    env: S3_VARIABLES,
  };
}

function readAddress(address: string): { folder: string } | { bucket: string } {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(address)?.[1]?.toLowerCase();
  if (scheme === "file") return { folder: fileURLToPath(address) };
  if (scheme === "s3") return { bucket: address };
  if (scheme === undefined && address !== "") return { folder: address };
  const cause = scheme === undefined ? "it is empty" : `${scheme}:// is not supported`;
  throw new RangeError(
    `Cannot open object store "${address}": ${cause} ` +
      `(expected a folder, file:///folder or s3://bucket/prefix)`,
  );
}

function env(name: string): string | undefined {
  return Deno.env.get(name);
}

/** A profile that may not be read is one that is not there: a service gets its keys by variables. */
function readIfThere(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) return;
    throw error;
  }
}
