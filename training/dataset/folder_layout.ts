import { extname, join } from "@std/path";

/** An image file of the folder and what its place says about it. */
export interface LabelledFile {
  /** Relative to the folder, with "/" between the parts. */
  path: string;
  label: number;
  /** Null where the folder does not say and the content decides. */
  split: "train" | "validation" | "test" | null;
}

export interface FolderLayout {
  classes: string[];
  /** By split, then class, then name, in code-unit order: the same on every machine. */
  files: LabelledFile[];
  /** Splits that have folders of their own; empty for a flat folder. */
  splits: Set<"train" | "validation" | "test">;
  /** Files among the images whose names are no image's. */
  ignored: string[];
}

/** Names taken for images; whether one can be decoded is found out by decoding it. */
const IMAGE_NAMES = new Set(
  [
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".png",
    ".gif",
    ".webp",
    ".bmp",
    ".tif",
    ".tiff",
    ".avif",
    ".heic",
  ],
);

const SPLIT_NAMES = new Map<string, "train" | "validation" | "test">([
  ["train", "train"],
  ["val", "validation"],
  ["valid", "validation"],
  ["validation", "validation"],
  ["test", "test"],
]);

const EXPECTED = "expected train/<class>/*.jpg with val/ and test/ beside train/, or <class>/*.jpg";

/**
 * Finds the images of `DIR/{train,val,test}/<class>/` or `DIR/<class>/` without reading them.
 * Names that begin with a dot or with "__" (such as `__MACOSX`) are passed over.
 *
 * @param options.needsTrain whether train/ must be there and the other splits have no more classes
 * @throws {Error} the folder is not there, has no images, has one class or an empty one, or mixes
 * layouts; the message names the place
 */
export async function readFolderLayout(
  directory: string,
  list: ListFolder = listDirectory,
  { needsTrain = true } = {},
): Promise<FolderLayout> {
  const top = await list(directory, "");
  const splitFolders = top.folders.filter((name) => SPLIT_NAMES.has(name.toLowerCase()));
  if (splitFolders.length === 0) return await readFlat(directory, top, list);

  const others = top.folders.filter((name) => !splitFolders.includes(name));
  if (others.length > 0) {
    fail(`${quoted(others)} beside ${splitFolders[0]}/ in ${directory}`, EXPECTED);
  }
  rejectImages(top, directory);
  const bySplit = new Map<"train" | "validation" | "test", string>();
  for (const name of splitFolders) {
    const split = SPLIT_NAMES.get(name.toLowerCase())!;
    const twin = bySplit.get(split);
    if (twin !== undefined) fail(`${twin}/ and ${name}/ both hold ${split} images`, "expected one");
    bySplit.set(split, name);
  }
  const train = bySplit.get("train");
  if (train === undefined && needsTrain) {
    fail(`${splitFolders[0]}/ without train/ in ${directory}`, EXPECTED);
  }

  const found = [];
  for (const split of ["train", "validation", "test"] as const) {
    const folder = bySplit.get(split);
    if (folder === undefined) continue;
    found.push({ folder, ...await readClasses(directory, folder, split, list) });
  }
  const classes = needsTrain
    ? found[0]!.classes
    : [...new Set(found.flatMap(({ classes }) => classes))].sort();
  for (const held of found) {
    const unknown = held.classes.filter((name) => !classes.includes(name));
    if (unknown.length === 0) continue;
    fail(`${quoted(unknown)} in ${held.folder}/ but not in ${train}/`, "expected the same classes");
  }
  const files = found.flatMap((held) =>
    held.files.map((file) => ({ ...file, label: classes.indexOf(held.classes[file.label]!) }))
  );
  return {
    classes,
    files,
    splits: new Set(bySplit.keys()),
    ignored: found.flatMap(({ ignored }) => ignored),
  };
}

/** What a folder holds, without hidden names; each in code-unit order. */
export interface Listing {
  folders: string[];
  images: string[];
  others: string[];
}

/** Lists `directory/folder`; "" is the directory itself. */
export type ListFolder = (directory: string, folder: string) => Promise<Listing>;

async function readFlat(
  directory: string,
  top: Listing,
  list: ListFolder,
): Promise<FolderLayout> {
  if (top.folders.length === 0) {
    const found = top.images.length > 0
      ? `${top.images.length} images but no class folders`
      : "no images";
    fail(`${found} in ${directory}`, EXPECTED);
  }
  rejectImages(top, directory);
  return { ...await readClasses(directory, "", null, list), splits: new Set() };
}

/** The class folders under `DIR/folder`; labels count the classes found here. */
async function readClasses(
  directory: string,
  folder: string,
  split: LabelledFile["split"],
  list: ListFolder,
): Promise<Omit<FolderLayout, "splits">> {
  const place = folder === "" ? directory : `${folder}/`;
  const listing = await list(directory, folder);
  rejectImages(listing, place);
  const classes = listing.folders;
  if (classes.length === 0) fail(`no class folders under ${place}`, EXPECTED);
  if (classes.length === 1 && split !== "validation" && split !== "test") {
    fail(`one class (${classes[0]}) under ${place}`, "expected two or more class folders");
  }
  const files: LabelledFile[] = [];
  const ignored = [...listing.others.map((name) => join(folder, name))];
  for (const [label, name] of classes.entries()) {
    const inner = folder === "" ? name : `${folder}/${name}`;
    const { folders, images, others } = await list(directory, inner);
    if (folders.length > 0) fail(`${quoted(folders)} within the class folder ${inner}/`, EXPECTED);
    if (images.length === 0) fail(`no images in ${inner}/`, "add images, or remove the folder");
    for (const image of images) files.push({ path: `${inner}/${image}`, label, split });
    ignored.push(...others.map((other) => `${inner}/${other}`));
  }
  return { classes, files, ignored };
}

/** Sorts the names of a folder into what they are by their looks. */
export function sortNames(folders: readonly string[], files: readonly string[]): Listing {
  const isShown = (name: string) => !name.startsWith(".") && !name.startsWith("__");
  const shown = files.filter(isShown).sort();
  const isImage = (name: string) => IMAGE_NAMES.has(extname(name).toLowerCase());
  return {
    folders: folders.filter(isShown).sort(),
    images: shown.filter(isImage),
    others: shown.filter((name) => !isImage(name)),
  };
}

async function listDirectory(directory: string, folder: string): Promise<Listing> {
  const folders: string[] = [], files: string[] = [];
  const path = join(directory, folder);
  try {
    for await (const entry of Deno.readDir(path)) {
      // A link that leads nowhere is a file that cannot be read, and will be named as one.
      const target = entry.isSymlink
        ? await Deno.stat(join(path, entry.name)).catch(() => null)
        : entry;
      (target?.isDirectory ? folders : files).push(entry.name);
    }
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) fail(`${path} is not there`, EXPECTED, cause);
    if (cause instanceof Deno.errors.NotADirectory) {
      fail(`${path} is not a folder`, EXPECTED, cause);
    }
    throw cause;
  }
  return sortNames(folders, files);
}

function rejectImages({ images, folders }: Listing, place: string): void {
  if (images.length > 0 && folders.length > 0) {
    fail(`images beside folders in ${place} (${images[0]}, ${folders[0]}/)`, EXPECTED);
  }
}

function quoted(names: string[]): string {
  const shown = names.slice(0, 3).map((name) => `${name}/`).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

function fail(what: string, next: string, cause?: unknown): never {
  throw new Error(`Cannot read image folder: ${what} (${next})`, { cause });
}
