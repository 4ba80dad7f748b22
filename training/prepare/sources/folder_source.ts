import { type Listing, readFolderLayout, sortNames } from "../../dataset/folder_layout.ts";
import { some, type Source } from "./source.ts";
import { isStoreAddress, openSourceFiles } from "./source_files.ts";

/**
 * An image folder, or keys in a store that look like one; see {@linkcode readFolderLayout} for the
 * layouts and what is refused.
 */
export async function openFolderSource(address: string): Promise<Source> {
  const { classes, files, ignored } = isStoreAddress(address)
    ? await readFolderLayout(address, await listStore(address))
    : await readFolderLayout(address);
  return {
    kind: "image folder",
    address,
    classes,
    images: files.map(({ path, label, split }) => ({ name: path, file: path, label, split })),
    raw: null,
    refused: [],
    warnings: ignored.length === 0
      ? []
      : [`Files that are not images (${ignored.length}): ${some(ignored)}`],
  };
}

/** The folders that a store's keys make. */
async function listStore(address: string) {
  const files = openSourceFiles(address);
  const tree = new Map<string, { folders: Set<string>; files: string[] }>();
  const folderAt = (path: string) => {
    let folder = tree.get(path);
    if (!folder) tree.set(path, folder = { folders: new Set(), files: [] });
    return folder;
  };
  for await (const key of files.list!()) {
    const parts = key.split("/");
    const name = parts.pop()!;
    folderAt(parts.join("/")).files.push(name);
    for (; parts.length > 0;) {
      const child = parts.pop()!;
      folderAt(parts.join("/")).folders.add(child);
    }
  }
  files.close();
  return (_: string, path: string): Promise<Listing> => {
    const { folders, files } = folderAt(path);
    return Promise.resolve(sortNames([...folders], files));
  };
}
