import { join } from "node:path";
import type { Progress } from "../dataset/progress.ts";
import { copyFrom, download } from "./download.ts";
import type { PublishedFile, PublishedSet } from "./published_sets.ts";
import { unpackArchive } from "./unpack_archive.ts";
import { differenceFrom } from "./verify.ts";

export interface FetchOptions {
  /** Holds a folder a set. */
  readonly cache: string;
  /** A folder or an http(s) address with the same files, or with them in a folder of the set. */
  readonly mirror?: string | undefined;
  /** What is to be shown while a file comes. */
  progressOf?(file: PublishedFile): (progress: Progress) => void;
}

/** `$XDG_CACHE_HOME/topfive/data`, else below `~/.cache`, else in `.topfive`. */
export function dataCache(env: Pick<typeof Deno.env, "get"> = Deno.env): string {
  const home = env.get("HOME");
  const cache = env.get("XDG_CACHE_HOME") || (home ? join(home, ".cache") : "");
  return cache ? join(cache, "topfive", "data") : join(".topfive", "data");
}

/**
 * Brings a set's files into the cache, each checked, and unpacks what has to be. Files that are
 * there already are checked and kept.
 *
 * @returns the path to give to the next command: a folder, or the archive
 * @throws {Error} a file cannot be had or is not what was published
 */
export async function fetchSet(set: PublishedSet, options: FetchOptions): Promise<string> {
  const folder = join(options.cache, set.name);
  for (const file of set.files) {
    const path = join(folder, file.name);
    if (await isThere(path, file)) continue;
    await fetchFile(set, file, path, options);
  }
  const [only, ...others] = set.files;
  if (others.length > 0) return folder;
  const archive = join(folder, only!.name);
  return set.folder === undefined ? archive : await unpackArchive(archive, set.folder);
}

async function isThere(path: string, file: PublishedFile): Promise<boolean> {
  const exists = await Deno.stat(path).then(({ isFile }) => isFile, () => false);
  return exists && await differenceFrom(path, file) === null;
}

async function fetchFile(
  set: PublishedSet,
  file: PublishedFile,
  path: string,
  { mirror, progressOf }: FetchOptions,
): Promise<void> {
  const names = [`${set.name}/${file.name}`, file.name];
  if (mirror === undefined || /^https?:\/\//i.test(mirror)) {
    const addresses = mirror === undefined
      ? file.addresses
      : names.map((name) => `${mirror.replace(/\/+$/, "")}/${name}`);
    const onProgress = progressOf?.(file);
    return await download(file, addresses, path, onProgress ? { onProgress } : {});
  }
  for (const name of names) {
    const source = join(mirror, name);
    const exists = await Deno.stat(source).then(({ isFile }) => isFile, () => false);
    if (exists) return await copyFrom(file, source, path);
  }
  throw new Error(
    `Cannot fetch ${file.name}: it is not in ${mirror} (expected ${names.join(" or ")} there)`,
  );
}
