/**
 * The files of a source, in a folder or under an object store's prefix, read alike.
 * @module
 */
import { join, normalize } from "@std/path";
import { relative } from "node:path";
import type { ObjectStore } from "../../../shared/object_store/object_store.ts";
import { openStore } from "../../../shared/object_store/open_store.ts";

export interface Range {
  readonly start: number;
  /** The first byte that is not part of it. */
  readonly end: number;
}

export interface SourceFiles {
  /** Length in bytes, or null where there is no such file. */
  size(name: string): Promise<number | null>;
  /**
   * A file, or a part of it; as much as there is where the file ends before.
   *
   * @throws {UnreadableFileError} the file is missing, may not be read, or lies outside the source.
   * Any other error says that the source itself cannot be reached.
   */
  read(name: string, range?: Range): Promise<Uint8Array>;
  /** @throws {UnreadableFileError} as `read` does */
  stream(name: string): Promise<ReadableStream<Uint8Array>>;
  /** Every file, in the order of the names; only a store has this, a folder is walked. */
  readonly list?: () => AsyncIterable<string>;
  close(): void;
}

/** A file of the source that is skipped and reported; the others may well be readable. */
export class UnreadableFileError extends Error {
  override readonly name = "UnreadableFileError";
}

/** Whether an address names an object store and not a folder: `s3://bucket/prefix`, `file:///…`. */
export function isStoreAddress(address: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(address);
}

/** Opens a folder by its path or an object store by its address. */
export function openSourceFiles(address: string): SourceFiles {
  return isStoreAddress(address) ? new StoreFiles(openStore(address)) : new FolderFiles(address);
}

/** Whether a relative name leads out of where it is relative to. */
export function escapes(name: string): boolean {
  const parts = name.split(/[/\\]/);
  return name.includes("\0") || /^([/\\]|[a-z]:)/i.test(name) || parts.includes("..");
}

const MOST_OPEN_FILES = 16;

class FolderFiles implements SourceFiles {
  readonly #folder: string;
  #realFolder: string | undefined;
  /** Archives that ranges are read from. */
  readonly #open = new Map<string, Deno.FsFile>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async size(name: string): Promise<number | null> {
    try {
      return (await Deno.stat(join(this.#folder, name))).size;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  read(name: string, range?: Range): Promise<Uint8Array> {
    return unreadable(name, () => {
      if (range === undefined) return Deno.readFileSync(this.#resolve(name));
      const file = this.#openOnce(name);
      const bytes = new Uint8Array(Math.max(0, range.end - range.start));
      file.seekSync(range.start, Deno.SeekMode.Start);
      let done = 0;
      while (done < bytes.length) {
        const read = file.readSync(bytes.subarray(done));
        if (read === null) break;
        done += read;
      }
      return bytes.subarray(0, done);
    });
  }

  stream(name: string): Promise<ReadableStream<Uint8Array>> {
    return unreadable(name, () => Deno.openSync(this.#resolve(name)).readable);
  }

  close(): void {
    for (const file of this.#open.values()) file.close();
    this.#open.clear();
  }

  #openOnce(name: string): Deno.FsFile {
    const file = this.#open.get(name) ?? Deno.openSync(this.#resolve(name));
    if (this.#open.size >= MOST_OPEN_FILES && !this.#open.has(name)) this.close();
    this.#open.set(name, file);
    return file;
  }

  /** Links are followed within the folder only: a data set of strangers must not read our files. */
  #resolve(name: string): string {
    if (escapes(name)) throw new UnreadableFileError("its path leads out of the source");
    this.#realFolder ??= Deno.realPathSync(this.#folder);
    const real = Deno.realPathSync(join(this.#realFolder, normalize(name)));
    if (relative(this.#realFolder, real).split("/")[0] === "..") {
      throw new UnreadableFileError("it is a symbolic link that leads out of the source");
    }
    return real;
  }
}

// deno-lint-ignore require-await -- what `work` throws becomes a rejection
async function unreadable<Result>(name: string, work: () => Result): Promise<Result> {
  try {
    return work();
  } catch (cause) {
    const { NotFound, PermissionDenied, IsADirectory, FilesystemLoop } = Deno.errors;
    for (const kind of [NotFound, PermissionDenied, IsADirectory, FilesystemLoop]) {
      if (!(cause instanceof kind)) continue;
      const reason = kind === NotFound ? "it is not there" : (cause as Error).message;
      throw new UnreadableFileError(`Cannot read ${name}: ${reason}`, { cause });
    }
    if (!(cause instanceof UnreadableFileError)) throw cause;
    throw new UnreadableFileError(`Cannot read ${name}: ${cause.message}`);
  }
}

class StoreFiles implements SourceFiles {
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  async size(name: string): Promise<number | null> {
    const [first] = await Array.fromAsync(this.#store.list(name), (info) => info);
    return first?.key === name ? first.byteLength : null;
  }

  async read(name: string, range?: Range): Promise<Uint8Array> {
    return (await this.#store.get(key(name), range) ?? missing(name)).bytes;
  }

  async stream(name: string): Promise<ReadableStream<Uint8Array>> {
    return (await this.#store.getStream(key(name)) ?? missing(name)).stream;
  }

  async *list(): AsyncIterable<string> {
    for await (const { key } of this.#store.list("")) yield key;
  }

  close(): void {}
}

function key(name: string): string {
  if (!escapes(name)) return name;
  throw new UnreadableFileError(`Cannot read ${name}: its path leads out of the source`);
}

function missing(name: string): never {
  throw new UnreadableFileError(`Cannot read ${name}: it is not in the store`);
}

/** The folder or prefix of an address and the last part of its name. */
export function splitAddress(address: string): { parent: string; name: string } {
  const path = isStoreAddress(address) ? address : address.replace(/\/+$/, "");
  const at = path.lastIndexOf("/");
  return { parent: at < 0 ? "." : path.slice(0, at) || "/", name: path.slice(at + 1) };
}
