import { createHash } from "node:crypto";
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
} from "../object_store.ts";
import { S3Client, type S3ClientOptions, type S3Reply } from "./client.ts";
import { listObjects } from "./list.ts";
import type { S3Location } from "./location.ts";
import { PART_BYTES, partsOf, putMultipart } from "./multipart.ts";
import { resumingStream } from "./resuming_stream.ts";
import { readS3Error } from "./s3_error.ts";

/**
 * Objects in a bucket of Amazon S3 or a store that speaks it (R2, MinIO, SeaweedFS, Garage,
 * versitygw …). Requests are repeated where that can help, hashes are checked by the server, and
 * what is longer than 8 MiB is uploaded in parts.
 */
export class S3Store implements ObjectStore {
  readonly #client: S3Client;

  constructor(location: S3Location, options?: S3ClientOptions) {
    this.#client = new S3Client(location, options);
  }

  async get(key: string, range?: ByteRange): Promise<StoredObject | null> {
    requireKey(key);
    if (range) {
      requireRange(key, range);
      if (range.start === range.end) {
        const found = await this.head(key);
        return found && { bytes: new Uint8Array(0), etag: found.etag };
      }
    }
    const { response } = await this.#client.send({
      method: "GET",
      key,
      expect: [404, 416],
      ...(range ? { headers: { range: `bytes=${range.start}-${range.end - 1}` } } : {}),
    });
    if (response.status === 416) {
      await response.body?.cancel();
      return this.get(key, { start: 0, end: 0 });
    }
    return await this.#read(key, response, range?.start);
  }

  async getIfChanged(key: string, etag: string): Promise<StoredObject | "unchanged" | null> {
    requireKey(key);
    const { response } = await this.#client.send({
      method: "GET",
      key,
      headers: { "if-none-match": etag },
      expect: [304, 404],
    });
    if (response.status !== 304) return await this.#read(key, response);
    await response.body?.cancel();
    return "unchanged";
  }

  async getStream(key: string): Promise<ObjectStream | null> {
    requireKey(key);
    const { response } = await this.#client.send({ method: "GET", key, expect: [404] });
    if (response.status === 404) {
      await requireBucket(response, key);
      return null;
    }
    const byteLength = Number(response.headers.get("content-length"));
    return { stream: resumingStream(this.#client, key, response, byteLength), byteLength };
  }

  async head(key: string): Promise<(ObjectInfo & { readonly etag: string }) | null> {
    requireKey(key);
    const { response } = await this.#client.send({ method: "HEAD", key, expect: [404] });
    await response.body?.cancel();
    if (response.status === 404) return null;
    return {
      key,
      byteLength: Number(response.headers.get("content-length")),
      modifiedAt: new Date(response.headers.get("last-modified") ?? Number.NaN),
      etag: etagOf(response),
    };
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    requirePrefix(prefix);
    yield* listObjects(this.#client, prefix);
  }

  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<{ etag: string }> {
    requireKey(key);
    const headers = {
      ...(options.ifNoneMatch === undefined ? {} : { "if-none-match": options.ifNoneMatch }),
      ...(options.ifMatch === undefined ? {} : { "if-match": options.ifMatch }),
    };
    const parts = partsOf(body);
    const first = (await parts.next()).value as Uint8Array;
    if (first.length === PART_BYTES) {
      return await this.#putParts(key, prepend(first, parts), headers);
    }
    const reply = await this.#client.send({
      method: "PUT",
      key,
      headers,
      body: first,
      expect: [412, ...(options.ifMatch === undefined ? [] : [404])],
    });
    await reply.response.body?.cancel();
    if (reply.response.ok) return { etag: etagOf(reply.response) };
    return await this.#settle(key, reply, createHash("sha256").update(first).digest("hex"));
  }

  async delete(key: string): Promise<void> {
    requireKey(key);
    const { response } = await this.#client.send({ method: "DELETE", key, expect: [404] });
    await response.body?.cancel();
  }

  async #putParts(
    key: string,
    parts: AsyncIterable<Uint8Array>,
    headers: Readonly<Record<string, string>>,
  ): Promise<{ etag: string }> {
    const digest = createHash("sha256");
    const hashed = async function* () {
      for await (const part of parts) {
        digest.update(part);
        yield part;
      }
    };
    const reply = await putMultipart(this.#client, key, hashed(), headers);
    if (reply.response.ok) return { etag: reply.etag ?? etagOf(reply.response) };
    return await this.#settle(key, reply, digest.digest("hex"));
  }

  /**
   * A condition failed. After a repetition it may be our own write that it met, whose answer was
   * lost on the way: then the object is ours, byte for byte.
   */
  async #settle(key: string, { repeated }: S3Reply, sha256: string): Promise<{ etag: string }> {
    if (repeated) {
      const found = await this.getStream(key);
      const digest = createHash("sha256");
      for await (const chunk of found?.stream ?? []) digest.update(chunk);
      const head = found && await this.head(key);
      if (head && digest.digest("hex") === sha256) return { etag: head.etag };
    }
    throw new PreconditionFailedError(
      `Cannot put ${key}: it exists already or was changed by somebody else`,
    );
  }

  async #read(key: string, response: Response, start = 0): Promise<StoredObject | null> {
    if (response.status === 404) {
      await requireBucket(response, key);
      return null;
    }
    const byteLength = Number(response.headers.get("content-length"));
    const bytes = new Uint8Array(byteLength);
    let at = 0;
    for await (const chunk of resumingStream(this.#client, key, response, byteLength, start)) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return { bytes, etag: etagOf(response) };
  }
}

function etagOf(response: Response): string {
  return response.headers.get("etag") ?? "";
}

/** "Not found" is an answer about an object, and an error about a bucket. */
async function requireBucket(response: Response, key: string): Promise<void> {
  const error = await readS3Error(response, `Cannot read ${key}`);
  if (error.code === "NoSuchBucket") throw error;
}

/** Gives `first`, then the rest. */
async function* prepend(
  first: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
}
