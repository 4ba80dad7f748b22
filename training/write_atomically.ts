import { dirname, join } from "node:path";

/**
 * Replaces a file so that a reader sees the old or the new one and a crash leaves one of them: a
 * temporary file in the same folder, flushed to the disk, renamed over the name, the folder flushed.
 *
 * @throws {Error} where it cannot be written; the old file stays and no temporary one is left.
 */
export async function writeAtomically(
  path: string,
  chunks: Iterable<Uint8Array>,
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${crypto.randomUUID()}.tmp`);
  try {
    await writeFlushed(temporary, chunks);
    await Deno.rename(temporary, path);
  } catch (cause) {
    await Deno.remove(temporary).catch(() => {});
    throw new Error(`Cannot write ${path}: ${reason(cause, folder)}`, { cause });
  }
  using directory = await Deno.open(folder);
  await directory.sync();
}

async function writeFlushed(path: string, chunks: Iterable<Uint8Array>): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  for (const chunk of chunks) {
    for (let done = 0; done < chunk.length;) done += await file.write(chunk.subarray(done));
  }
  await file.syncData();
}

/** The system names the temporary file, which says nothing to the user. */
function reason(cause: unknown, folder: string): string {
  if (cause instanceof Deno.errors.NotFound) return `there is no folder ${folder}`;
  if (!(cause instanceof Error)) return String(cause);
  return cause.message.replace(/: (open|rename|write) '.*$/, "");
}
