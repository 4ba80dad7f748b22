import type { Dataset } from "./dataset.ts";
import { type ImageFolderOptions, readImageFolder } from "./image_folder.ts";
import { isMnistFolder, readMnist } from "./mnist.ts";
import { openPrepared } from "./shards/open_prepared.ts";

export interface OpenDatasetOptions extends Omit<ImageFolderOptions, "side" | "channels"> {
  /** Height and width of the records, pixels. MNIST has its own, 28, unless given. */
  side?: number;
  /** Of an image folder 3 unless given, of MNIST 1. */
  channels?: 1 | 3;
}

/** What an image folder is read at where nothing is asked for: the built-in set's size. */
const DEFAULT_FOLDER_SIDE = 96;

/**
 * Opens a folder of labelled images, whatever it is: one that `topfive prepare` made, by its index,
 * whose pixels stay in its files; else, read into memory, MNIST's IDX files by their names or an
 * image folder.
 *
 * @throws {RangeError} the side is not an integer from 1 to 4096, or not that of the prepared data
 * @throws {Error} as {@link openPrepared}, {@link readImageFolder} and {@link readMnist} do
 */
export async function openDataset(
  directory: string,
  options: OpenDatasetOptions = {},
): Promise<Dataset> {
  const { side } = options;
  if (side !== undefined && (!Number.isInteger(side) || side < 1 || side > 4096)) {
    throw new RangeError(`Cannot read data: side is ${side} (expected an integer from 1 to 4096)`);
  }
  const prepared = await openPrepared(directory, options);
  if (prepared !== null) return prepared;
  if (await isMnistFolder(directory)) return await readMnist(directory, options);
  return await readImageFolder(directory, { side: DEFAULT_FOLDER_SIDE, channels: 3, ...options });
}
