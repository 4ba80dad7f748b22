import { join } from "node:path";

const LOCK_FILE = "lock";

/**
 * Claims a run's folder for this process until it is disposed of. The system's own file lock: it
 * ends with the process, however that ends, so a killed one leaves nothing to clean up.
 *
 * @throws {Error} where another process, or this one, holds it.
 */
export async function lockRun(folder: string): Promise<Disposable> {
  const path = join(folder, LOCK_FILE);
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { create: true, read: true, write: true });
  } catch (cause) {
    throw new Error(`Cannot train into ${folder}: ${(cause as Error).message}`, { cause });
  }
  if (!await file.tryLock(true)) {
    file.close();
    const owner = (await Deno.readTextFile(path)).trim();
    throw new Error(
      `Cannot train into ${folder}: process ${owner || "unknown"} is training there (wait for it ` +
        "or stop it)",
    );
  }
  await file.truncate();
  await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  return { [Symbol.dispose]: () => file.close() };
}
