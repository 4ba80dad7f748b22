import { dirname, join } from "node:path";

/**
 * Replaces a file so that a reader sees the old or the new one and a crash leaves one of them: a
 * temporary file in the same folder, flushed to the disk, renamed over the name, the folder flushed.
 */
export async function writeAtomically(
  path: string,
  chunks: Iterable<Uint8Array>,
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${crypto.randomUUID()}.tmp`);
  try {
    using file = await Deno.open(temporary, { write: true, createNew: true });
    for (const chunk of chunks) {
      for (let done = 0; done < chunk.length;) done += await file.write(chunk.subarray(done));
    }
    await file.syncData();
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
  await Deno.rename(temporary, path);
  using directory = await Deno.open(folder);
  await directory.sync();
}
