import { createHash, randomUUID } from "node:crypto";
import { basename, dirname, join } from "node:path";
import {
  type ByteRange,
  type ObjectBody,
  type ObjectInfo,
  type ObjectStore,
  type ObjectStream,
  PreconditionFailedError,
  type PutOptions,
  requireKey,
  requirePrefix,
  requireRange,
  type StoredObject,
} from "./object_store.ts";

/** Serialises what changes the store, between processes too. */
const LOCK_NAME = ".lock";
const TEMPORARY_NAME = ".tmp";
/** A temporary file this old was left by a process that died; no put takes a day. */
const ABANDONED_AFTER_MS = 24 * 3600 * 1000;

/** A read of so much takes a tenth of the time of reads of 64 kB, a byte (2026-11). */
const CHUNK_BYTES = 2 ** 20;

/**
 * Objects as files below a folder, which is made by the first put. Writing goes to a temporary file,
 * fsync, rename, fsync of the folder; conditions are checked and the rename done under a file lock,
 * which the system releases when a process dies. The etag is the SHA-256 of the content, so `get`,
 * `head` and a put with `ifMatch` read the whole object. Symbolic links below the folder are never
 * followed.
 */
export class DirectoryStore implements ObjectStore {
  readonly #root: string;
  #swept = false;

  /** @param root path of the folder, absolute or relative to the working directory */
  constructor(root: string) {
    this.#root = root;
  }

  async get(key: string, range?: ByteRange): Promise<StoredObject | null> {
    if (range) requireRange(key, range);
    const path = await this.#find(key);
    if (path === null) return null;
    const bytes = await unlessMissing(Deno.readFile(path));
    if (bytes === null) return null;
    const etag = createHash("sha256").update(bytes).digest("hex");
    return { bytes: range ? bytes.slice(range.start, range.end) : bytes, etag };
  }

  async getIfChanged(key: string, etag: string): Promise<StoredObject | "unchanged" | null> {
    const object = await this.get(key);
    return object?.etag === etag ? "unchanged" : object;
  }

  async getStream(key: string): Promise<ObjectStream | null> {
    const path = await this.#find(key);
    const file = path === null ? null : await unlessMissing(Deno.open(path));
    if (file === null) return null;
    // A put renames another file into this one's place, so an open file never changes.
    const { size } = await file.stat();
    return { stream: streamOf(file, size), byteLength: size };
  }

  async head(key: string): Promise<(ObjectInfo & { readonly etag: string }) | null> {
    const path = await this.#find(key);
    const file = path === null ? null : await unlessMissing(Deno.open(path));
    if (file === null) return null;
    const { size, mtime } = await file.stat();
    return { key, byteLength: size, modifiedAt: mtime!, etag: await hash(streamOf(file, size)) };
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    requirePrefix(prefix);
    const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
    yield* this.#walk(folder, prefix);
  }

  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<{ etag: string }> {
    requireKey(key);
    const folder = await this.#makeFolder(dirname(key));
    const { temporary, etag } = await this.#writeTemporary(body);
    const path = join(folder, basename(key));
    try {
      using _lock = await this.#lock();
      await this.#requireConditions(key, options);
      await Deno.rename(temporary, path);
    } catch (error) {
      await Deno.remove(temporary).catch(() => {});
      throw error;
    }
    await syncFolder(folder);
    return { etag };
  }

  async delete(key: string): Promise<void> {
    const path = await this.#find(key);
    if (path === null) return;
    using _lock = await this.#lock();
    await unlessMissing(Deno.remove(path));
    await syncFolder(dirname(path));
  }

  pathOf(key: string): Promise<string | null> {
    return this.#find(key);
  }

  /** Makes the object the most recently modified. */
  async touch(key: string): Promise<void> {
    const path = await this.#find(key);
    if (path !== null) await unlessMissing(Deno.utime(path, new Date(), new Date()));
  }

  /** Path of an existing object, or null. */
  async #find(key: string): Promise<string | null> {
    requireKey(key);
    let path = this.#root;
    const segments = key.split("/");
    for (const [depth, segment] of segments.entries()) {
      path = join(path, segment);
      const info = await unlessMissing(Deno.lstat(path));
      const last = depth === segments.length - 1;
      if (info === null || !(last ? info.isFile : info.isDirectory)) return null;
    }
    return path;
  }

  /** Makes the folder of a key, one level after the other, and refuses links on the way. */
  async #makeFolder(folder: string): Promise<string> {
    await Deno.mkdir(this.#root, { recursive: true });
    let path = this.#root;
    for (const segment of folder === "." ? [] : folder.split("/")) {
      const parent = path;
      path = join(path, segment);
      let info = await unlessMissing(Deno.lstat(path));
      if (info === null) {
        // Another process may have been faster.
        await Deno.mkdir(path).catch((error) => {
          if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
        });
        await syncFolder(parent);
        info = await Deno.lstat(path);
      }
      if (!info.isDirectory) {
        throw new Error(
          `Cannot put object: ${path} is not a folder (remove it or use another key)`,
        );
      }
    }
    return path;
  }

  /** Writes and syncs a file that a rename can put in its place. */
  async #writeTemporary(body: ObjectBody): Promise<{ temporary: string; etag: string }> {
    const folder = join(this.#root, TEMPORARY_NAME);
    await Deno.mkdir(folder, { recursive: true });
    await this.#sweep(folder);
    const temporary = join(folder, randomUUID());
    using file = await Deno.open(temporary, { write: true, createNew: true });
    const digest = createHash("sha256");
    try {
      for await (const chunk of body instanceof Uint8Array ? [body] : body) {
        digest.update(chunk);
        for (let written = 0; written < chunk.length;) {
          written += await file.write(chunk.subarray(written));
        }
      }
      await file.sync();
    } catch (error) {
      await Deno.remove(temporary).catch(() => {});
      throw error;
    }
    return { temporary, etag: digest.digest("hex") };
  }

  async #sweep(folder: string): Promise<void> {
    if (this.#swept) return;
    this.#swept = true;
    for await (const { name } of Deno.readDir(folder)) {
      const path = join(folder, name);
      const info = await unlessMissing(Deno.lstat(path));
      if (info?.mtime && Date.now() - info.mtime.getTime() > ABANDONED_AFTER_MS) {
        await unlessMissing(Deno.remove(path));
      }
    }
  }

  async #lock(): Promise<Disposable> {
    const path = join(this.#root, LOCK_NAME);
    const file = await Deno.open(path, { read: true, write: true, create: true });
    try {
      await file.lock(true);
    } catch (error) {
      file.close();
      throw error;
    }
    return file; // Closing it releases the lock.
  }

  async #requireConditions(key: string, { ifNoneMatch, ifMatch }: PutOptions): Promise<void> {
    if (ifNoneMatch !== undefined && await this.#find(key) !== null) {
      throw new PreconditionFailedError(`Cannot put ${key}: it exists already`);
    }
    if (ifMatch !== undefined && (await this.head(key))?.etag !== ifMatch) {
      throw new PreconditionFailedError(`Cannot put ${key}: it was changed by somebody else`);
    }
  }

  /** Objects below `folder` ("" or ending with "/") whose keys begin with `prefix`. */
  async *#walk(folder: string, prefix: string): AsyncGenerator<ObjectInfo> {
    const entries: string[] = [];
    try {
      for await (const { name, isFile, isDirectory } of Deno.readDir(join(this.#root, folder))) {
        if (name.startsWith(".")) continue;
        // With its slash a folder sorts where its keys do.
        if (isDirectory) entries.push(`${folder}${name}/`);
        else if (isFile) entries.push(`${folder}${name}`);
      }
    } catch (error) {
      if (isMissing(error)) return;
      throw error;
    }
    for (const entry of entries.sort()) {
      if (entry.endsWith("/")) {
        if (entry.startsWith(prefix) || prefix.startsWith(entry)) yield* this.#walk(entry, prefix);
      } else if (entry.startsWith(prefix)) {
        const info = await unlessMissing(Deno.lstat(join(this.#root, entry)));
        if (info) yield { key: entry, byteLength: info.size, modifiedAt: info.mtime! };
      }
    }
  }
}

/** Closes the file at its end. Its own `readable` takes 64 kB at a time and seven times as long. */
function streamOf(
  file: Deno.FsFile,
  byteLength: number,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let left = byteLength;
  return new ReadableStream({
    async pull(controller) {
      try {
        const chunk = new Uint8Array(Math.min(CHUNK_BYTES, left + 1));
        const read = await file.read(chunk);
        if (read !== null) {
          left -= read;
          return controller.enqueue(chunk.subarray(0, read));
        }
      } catch (error) {
        file.close();
        throw error;
      }
      file.close();
      controller.close();
    },
    cancel: () => file.close(),
  }, { highWaterMark: 0 });
}

async function hash(stream: ReadableStream<Uint8Array>): Promise<string> {
  const digest = createHash("sha256");
  for await (const chunk of stream) digest.update(chunk);
  return digest.digest("hex");
}

/** Makes a rename or a new name in the folder survive a power failure. */
async function syncFolder(path: string): Promise<void> {
  using folder = await Deno.open(path);
  await folder.sync();
}

async function unlessMissing<Result>(operation: Promise<Result>): Promise<Result | null> {
  try {
    return await operation;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}
