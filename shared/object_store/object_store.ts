/** An object's description without its bytes. */
export interface ObjectInfo {
  readonly key: string;
  readonly byteLength: number;
  readonly modifiedAt: Date;
}

/** Bytes `start` to `end`, the latter excluded, counted from 0. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface StoredObject {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

/** An object on its way; whoever takes the stream reads it to its end or cancels it. */
export interface ObjectStream {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly byteLength: number;
}

/** What a put stores: bytes, or a stream for what should not be in memory as a whole. */
export type ObjectBody = Uint8Array | ReadableStream<Uint8Array>;

/** Conditions of a put; without any it replaces what is there. */
export interface PutOptions {
  /** "*" writes only where no object has the key. */
  readonly ifNoneMatch?: "*";
  /** Writes only over the object that has this etag. */
  readonly ifMatch?: string;
}

/**
 * Where artifacts live: whole objects under keys such as `models/pets/aliases/latest.json`, the part of S3
 * that every store has. A put is atomic and durable once it resolves; a reader sees the whole old
 * or the whole new object. An etag changes with the content and means nothing else.
 *
 * Keys are checked by `requireKey`; every method throws its RangeError.
 */
export interface ObjectStore {
  /**
   * The object's bytes, or null when there is none. A range that goes beyond the end gives what
   * there is; one that begins there or later gives no bytes.
   */
  get(key: string, range?: ByteRange): Promise<StoredObject | null>;

  /** As `get`, but "unchanged" without its bytes while the object has this etag. */
  getIfChanged(key: string, etag: string): Promise<StoredObject | "unchanged" | null>;

  /**
   * The object as a stream, for objects that are large, or null when there is none. Each chunk is
   * its reader's own, who may transfer its buffer.
   *
   * @throws {ObjectChangedError} through the stream, when the object is replaced while it is read
   *   and the rest of the old one cannot be had.
   */
  getStream(key: string): Promise<ObjectStream | null>;

  /** The object's description and etag, or null when there is none. */
  head(key: string): Promise<(ObjectInfo & { readonly etag: string }) | null>;

  /** The objects whose keys begin with `prefix` ("" is all), in the order of their keys. */
  list(prefix: string): AsyncIterable<ObjectInfo>;

  /**
   * Stores an object and gives its etag. Of several conditional puts at the same time, from any
   * number of processes, one wins.
   *
   * @throws {PreconditionFailedError} when a condition does not hold; nothing is changed then.
   */
  put(key: string, body: ObjectBody, options?: PutOptions): Promise<{ etag: string }>;

  /** Removes an object; no error when there is none. */
  delete(key: string): Promise<void>;

  /**
   * Path of the file that holds the object, or null; only where a store keeps files, which are
   * replaced as a whole and never written to.
   */
  pathOf?(key: string): Promise<string | null>;
}

/** A conditional put met another state than it asked for. */
export class PreconditionFailedError extends Error {
  override readonly name = "PreconditionFailedError";
}

/** An object was replaced while it was being read. */
export class ObjectChangedError extends Error {
  override readonly name = "ObjectChangedError";
}

/** Segments begin with no dot: that keeps out `.` and `..`, and leaves dot names to the stores. */
const KEY = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}(\/[A-Za-z0-9_-][A-Za-z0-9._-]{0,199})*$/;

/** The limit of S3. */
const MAX_KEY_LENGTH = 1024;

/**
 * Requires a key that is safe on every store and file system.
 *
 * @throws {RangeError} when it is not.
 */
export function requireKey(key: string): void {
  if (KEY.test(key) && key.length <= MAX_KEY_LENGTH) return;
  throw new RangeError(
    `Cannot use key ${JSON.stringify(key)}: expected segments of letters, digits, '.', '_' and ` +
      `'-' that begin with no dot, separated by '/'`,
  );
}

/**
 * Requires a range of whole numbers that does not end before it begins.
 *
 * @throws {RangeError} when it is none.
 */
export function requireRange(key: string, { start, end }: ByteRange): void {
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start && start <= end) {
    return;
  }
  throw new RangeError(
    `Cannot read bytes ${start} to ${end} of ${key}: expected 0 <= start <= end, whole numbers`,
  );
}

/** Requires a key's beginning, cut anywhere; see `requireKey`. */
export function requirePrefix(prefix: string): void {
  // Whatever a prefix ends with, one more letter makes it a key.
  if (prefix !== "") requireKey(prefix + "x");
}
