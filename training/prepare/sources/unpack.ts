import type { SourceFiles } from "./source_files.ts";

/** Above the largest set that is distributed as one packed file of raw pixels: EMNIST, 547 MB. */
const MOST_UNPACKED_BYTES = 2 ** 30;

/**
 * Copies a file of a source to a path, unpacked where its name ends in .gz or .tgz: packed bytes
 * cannot be read from any place.
 *
 * @throws {SyntaxError} it is not gzip, is damaged, cut off, or unpacks to more than a gigabyte
 */
export async function unpackTo(files: SourceFiles, name: string, path: string): Promise<void> {
  const packed = await files.stream(name) as ReadableStream<Uint8Array<ArrayBuffer>>;
  const isPacked = /\.(gz|tgz)$/i.test(name);
  const bytes = isPacked ? packed.pipeThrough(new DecompressionStream("gzip")) : packed;
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  let length = 0;
  try {
    for await (const chunk of bytes) {
      if ((length += chunk.length) > MOST_UNPACKED_BYTES) {
        throw new RangeError(`it is more than ${MOST_UNPACKED_BYTES} bytes`);
      }
      for (let done = 0; done < chunk.length;) done += file.writeSync(chunk.subarray(done));
    }
  } catch (cause) {
    if (!(cause instanceof TypeError || cause instanceof RangeError)) throw cause;
    throw new SyntaxError(`Cannot unpack ${name}: ${cause.message}`, { cause });
  }
}
