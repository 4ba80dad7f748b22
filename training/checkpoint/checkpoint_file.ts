import { createHash } from "node:crypto";
import { rmSync, statfsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { CheckpointHeader } from "./checkpoint.ts";

export const FORMAT = "topfive checkpoint 2";
export const HASH_BYTES = 32;
export const LENGTH_BYTES = 8;

/** A weight or a momentum that is no number any more: such a checkpoint would be of no use. */
export class NonFiniteTensorError extends Error {
  override readonly name = "NonFiniteTensorError";
  readonly tensor: string;

  constructor(tensor: string) {
    super(`Cannot keep a checkpoint: ${tensor} is no longer finite`);
    this.tensor = tensor;
  }
}

/**
 * Writes a checkpoint tensor by tensor, in the order of its header, beside the file that it then
 * replaces. Disposing of it before {@link commit} leaves the old file as it was and nothing else.
 */
export class CheckpointFile implements Disposable {
  readonly #path: string;
  readonly #temporary: string;
  readonly #file: Deno.FsFile;
  readonly #hash = createHash("sha256");
  readonly #names: string[];
  /** Of the whole file. */
  readonly #bytes: number;
  #written = 0;
  #open = true;

  /** @throws {Error} where the folder cannot be written to. */
  constructor(path: string, header: CheckpointHeader) {
    const tensors = [...header.parameters, ...header.momenta];
    const numbers = tensors.reduce((sum, { length }) => sum + length, 0);
    const text = new TextEncoder().encode(JSON.stringify({ format: FORMAT, ...header }));
    // Numbers start at a multiple of four: spaces are white space in JSON.
    const padded = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(0x20);
    padded.set(text);
    const length = new Uint8Array(LENGTH_BYTES);
    new DataView(length.buffer).setBigUint64(0, BigInt(padded.length), true);
    this.#path = path;
    this.#names = tensors.map(({ name }) => name);
    this.#bytes = LENGTH_BYTES + padded.length + 4 * numbers + HASH_BYTES;
    this.#temporary = join(dirname(path), `.${basename(path)}.${crypto.randomUUID()}.tmp`);
    this.#file = this.#explained(() =>
      Deno.openSync(this.#temporary, { write: true, createNew: true })
    );
    try {
      this.#write(length);
      this.#write(padded);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** @throws {NonFiniteTensorError} naming the tensor. */
  add(values: Float32Array<ArrayBuffer>): void {
    const name = this.#names.shift()!;
    if (!isFinite(values)) throw new NonFiniteTensorError(name);
    this.#write(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  /** Flushes it to the disk and puts it in the old one's place. */
  commit(): void {
    this.#write(this.#hash.digest(), false);
    this.#explained(() => {
      this.#file.syncDataSync();
      this.#close();
      Deno.renameSync(this.#temporary, this.#path);
      using folder = Deno.openSync(dirname(this.#path));
      folder.syncSync();
    });
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#close();
    rmSync(this.#temporary, { force: true });
  }

  #close(): void {
    this.#open = false;
    this.#file.close();
  }

  #write(bytes: Uint8Array, hashed = true): void {
    if (hashed) this.#hash.update(bytes);
    this.#explained(() => {
      for (let done = 0; done < bytes.length;) {
        const more = this.#file.writeSync(bytes.subarray(done));
        done += more;
        this.#written += more;
      }
    });
  }

  #explained<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      const { message, code } = cause as Error & { code?: string };
      // The system names the temporary file, which says nothing to the user.
      const reason = message.replace(/: \w+ '.*$/, "");
      const room = code === "ENOSPC" || code === "EDQUOT"
        ? ` (it takes ${this.#bytes} bytes, ${
          this.#written + freeBytes(dirname(this.#path))
        } are free)`
        : "";
      throw new Error(`Cannot write ${this.#path}: ${reason}${room}`, { cause });
    }
  }
}

/** By the bits, exponents of all ones: a hundred million numbers in a tenth of a second. */
function isFinite({ buffer, byteOffset, length }: Float32Array<ArrayBuffer>): boolean {
  const bits = new Uint32Array(buffer, byteOffset, length);
  for (let i = 0; i < length; i++) {
    if ((bits[i]! & 0x7f800000) === 0x7f800000) return false;
  }
  return true;
}

/** Bytes that this user may still write into a folder. */
function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
