import { join } from "node:path";
import { extract } from "tar";

/** Members of an archive that are written: no links, no devices. */
const KINDS: readonly string[] = ["File", "OldFile", "ContiguousFile", "Directory", "GNUDumpDir"];

/**
 * Unpacks an archive of an image folder beside itself, and gives the path of that folder. It appears
 * whole or not at all. Nothing is written outside it: a member whose name leads out, a link or a
 * device ends the work.
 *
 * @param archive .tar or .tar.gz
 * @param folder the one that the archive holds
 * @throws {Error} the archive is damaged, holds such a member, or no such folder
 */
export async function unpackArchive(archive: string, folder: string): Promise<string> {
  const base = archive.slice(0, archive.lastIndexOf("/"));
  const target = join(base, folder);
  if (await isFolder(target)) return target;
  const temporary = await Deno.makeTempDir({ dir: base, prefix: ".unpacking-" });
  try {
    const refused: string[] = [];
    await extract({
      file: archive,
      cwd: temporary,
      strict: true,
      preserveOwner: false,
      filter: (path, entry) => {
        if ("type" in entry && KINDS.includes(entry.type)) return true;
        refused.push(path);
        return false;
      },
    });
    if (refused.length > 0) {
      throw new Error(`${refused[0]} is neither a file nor a folder`);
    }
    if (!await isFolder(join(temporary, folder))) throw new Error(`it holds no folder ${folder}`);
    await Deno.rename(join(temporary, folder), target);
  } catch (cause) {
    throw new Error(`Cannot unpack ${archive}: ${(cause as Error).message}`, { cause });
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
  return target;
}

async function isFolder(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
}
