import { findCifar, isArchiveName, openCifarSource } from "./cifar_source.ts";
import { openFolderSource } from "./folder_source.ts";
import { holdsIdx, openIdxSource } from "./idx_source.ts";
import { openIlsvrcSource, TRAIN_ARCHIVE } from "./ilsvrc_source.ts";
import { isListName, openListSource } from "./list_source.ts";
import type { OpenSourceOptions, Source } from "./source.ts";
import { openSourceFiles } from "./source_files.ts";

/**
 * Finds the labelled images at a path or an object store's address, whatever they are: a list or an
 * archive by its name, a folder by the files that it holds, else an image folder.
 *
 * @throws {Error} nothing that can be read is there
 * @throws {SyntaxError} a list or an archive is damaged
 */
export async function openSource(address: string, options: OpenSourceOptions): Promise<Source> {
  if (isListName(address)) return await openListSource(address);
  if (isArchiveName(address)) return await openCifarSource(address, options);
  const files = openSourceFiles(address);
  try {
    if (await files.size(TRAIN_ARCHIVE) !== null) return await openIlsvrcSource(address);
    if (await holdsIdx(files)) return await openIdxSource(address, options);
    const cifar = await findCifar(address, files);
    if (cifar !== null) return await openCifarSource(cifar, options);
  } finally {
    files.close();
  }
  return await openFolderSource(address);
}
