import { join } from "@std/path";
import type { RecordSpec } from "../../shared/image/preprocess.ts";
import type { DecodeResult, DecodeTask } from "./decode_worker.ts";
import { contentFingerprint } from "./content_fingerprint.ts";
import {
  type BrokenImage,
  type Dataset,
  fingerprintOf,
  memorySplit,
  type Split,
} from "./dataset.ts";
import { type FolderLayout, type LabelledFile, readFolderLayout } from "./folder_layout.ts";
import { sharedBytes } from "./memory_source.ts";
import { countProgress, type Progress } from "./progress.ts";
import { runInWorkers } from "./worker_pool.ts";

export interface ImageFolderOptions {
  /** Height and width of the records, pixels: shorter side resized to it, central square. */
  side: number;
  channels: 1 | 3;
  /** See `RecordSpec`; "crop" unless given. */
  resize?: RecordSpec["resize"];
  /**
   * "training" unless given: every split that a training needs has images. "any": splits may be
   * missing or empty. "together": all images are test images, whatever folder they lie in.
   */
  splits?: "training" | "any" | "together";
  /** Images with more pixels count as broken; see `decodeImage` for the default. */
  maxPixels?: number;
  onProgress?: (progress: Progress) => void;
  /** Decoding Workers; the number of cores unless given. */
  workers?: number;
}

type SplitName = "train" | "validation" | "test";

/** A file after decoding, with where it belongs. */
interface DecodedFile extends LabelledFile {
  split: SplitName;
  hash: string;
  /** Place of its record in the pool. */
  index: number;
}

// A task's records travel as one buffer: large enough to hide the message, small beside the set.
const FILES_PER_TASK = 16;

/**
 * Reads an image folder into memory, decoding on all cores:
 *
 * - `DIR/{train,val,test}/<class>/*`: as it is (`valid/` and `validation/` are `val/` too);
 * - no val/: a tenth of train/ is held out, chosen by content, so the same in each run;
 * - no test/ beside train/ and val/: test is null;
 * - `DIR/<class>/*`: 80/10/10, chosen by content. Equal files always fall on the same side.
 *
 * Images that cannot be read are in `broken` and in no split. Images that two splits share, or that
 * have two labels, are named in `warnings`.
 *
 * @throws {Error} the layout is none of these (see {@link readFolderLayout}), or so few images are
 * readable that a split or a class is empty
 */
export async function readImageFolder(
  directory: string,
  options: ImageFolderOptions,
): Promise<Dataset> {
  const { side, channels, splits = "training" } = options;
  const needsTrain = splits === "training";
  const layout = await readFolderLayout(directory, undefined, { needsTrain });
  const { pool, hashes, broken } = await decodeAll(directory, layout.files, options);

  const decoded: DecodedFile[] = [];
  layout.files.forEach((file, index) => {
    const hash = hashes[index]!;
    if (!broken.has(index)) {
      const split = splits === "together" ? "test" : assign(file, hash, layout);
      decoded.push({ ...file, hash, index, split });
    }
  });
  const take = (split: SplitName) =>
    takeSplit(pool, side * side * channels, decoded.filter((file) => file.split === split));

  const hasTest = splits === "together" || layout.splits.size === 0 || layout.splits.has("test");
  const dataset = {
    classes: layout.classes,
    side,
    channels,
    train: take("train"),
    validation: take("validation"),
    test: hasTest ? take("test") : null,
    broken: [...broken.values()],
    warnings: [...warnIgnored(layout.ignored), ...warnShared(decoded)],
  };
  if (needsTrain) rejectEmpty(directory, dataset);
  const images = decoded.map(({ hash: sha256, label, split }) => ({
    sha256,
    label: layout.classes[label]!,
    split,
  }));
  return {
    ...dataset,
    fingerprint: fingerprintOf(dataset),
    contentFingerprint: contentFingerprint(images),
  };
}

async function decodeAll(directory: string, files: LabelledFile[], options: ImageFolderOptions) {
  const { side, channels, resize, maxPixels, workers } = options;
  const bytes = side * side * channels;
  const pool = sharedBytes(files.length * bytes);
  const hashes = new Array<string>(files.length);
  const broken = new Map<number, BrokenImage>();
  const count = countProgress(files.length, options.onProgress);

  const tasks: DecodeTask[] = [];
  for (let start = 0; start < files.length; start += FILES_PER_TASK) {
    const paths = files.slice(start, start + FILES_PER_TASK).map(({ path }) =>
      join(directory, path)
    );
    const limits = maxPixels === undefined ? {} : { maxPixels };
    tasks.push({ paths, start, side, channels, resize, ...limits });
  }
  await runInWorkers<DecodeTask, DecodeResult>({
    module: new URL("./decode_worker.ts", import.meta.url),
    tasks,
    ...(workers === undefined ? {} : { workers }),
    onResult: (result, { start }) => {
      pool.set(result.records, start * bytes);
      result.reasons.forEach((reason, i) => {
        hashes[start + i] = result.hashes[i]!;
        if (reason !== null) broken.set(start + i, { file: files[start + i]!.path, reason });
      });
      count(result.reasons.length);
    },
  });
  return { pool, hashes, broken: new Map([...broken].sort(([a], [b]) => a - b)) };
}

/** The split a file's folder names or, where it names none, that the first bits of its sha256 do. */
function assign(file: LabelledFile, hash: string, { splits }: FolderLayout): SplitName {
  const part = parseInt(hash.slice(0, 8), 16) / 2 ** 32;
  if (splits.size === 0) return part < 0.1 ? "validation" : part < 0.2 ? "test" : "train";
  if (file.split === "train" && !splits.has("validation") && part < 0.1) return "validation";
  return file.split!;
}

/** A view of the pool where the files lie side by side in it, else a copy. */
function takeSplit(
  pool: Uint8Array<SharedArrayBuffer>,
  bytes: number,
  files: DecodedFile[],
): Split {
  const first = files[0]?.index ?? 0;
  const isRun = files.every((file, i) => file.index === first + i);
  let records = pool.subarray(first * bytes, (first + files.length) * bytes);
  if (!isRun) {
    records = sharedBytes(files.length * bytes);
    files.forEach(({ index }, i) =>
      records.set(pool.subarray(index * bytes, (index + 1) * bytes), i * bytes)
    );
  }
  return memorySplit(
    records,
    Uint32Array.from(files, ({ label }) => label),
    files.map(({ path }) => path),
  );
}

function warnIgnored(ignored: string[]): string[] {
  return ignored.length === 0
    ? []
    : [`Files that are not images (${ignored.length}): ${some(ignored)}`];
}

/** What makes a test figure too good, or a label wrong: one file in two splits or two classes. */
function warnShared(files: DecodedFile[]): string[] {
  const byHash = Map.groupBy(files, ({ hash }) => hash);
  const pairs = (differ: (file: DecodedFile) => unknown) =>
    [...byHash.values()].filter((same) => new Set(same.map(differ)).size > 1)
      .map((same) => same.map(({ path }) => path).join(" = "));
  const leaked = pairs(({ split }) => split), contradicted = pairs(({ label }) => label);
  const warnings: string[] = [];
  if (leaked.length > 0) {
    warnings.push(`Images in more than one split (${leaked.length}): ${some(leaked)}`);
  }
  if (contradicted.length > 0) {
    warnings.push(
      `Images in more than one class (${contradicted.length}): ${some(contradicted)}`,
    );
  }
  return warnings;
}

function some(names: string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

function rejectEmpty(directory: string, dataset: Omit<Dataset, "fingerprint">): void {
  const { classes, train, validation, test, broken } = dataset;
  const also = broken.length === 0
    ? ""
    : `; ${broken.length} are broken, the first ${broken[0]!.file}`;
  for (const [name, split] of Object.entries({ train, validation, test })) {
    if (split?.count !== 0) continue;
    throw new Error(
      `Cannot read image folder: no readable ${name} images in ${directory}${also} ` +
        `(add images, or divide them yourself into train/, val/ and test/)`,
    );
  }
  const seen = new Set(train.labels);
  const missing = classes.filter((_, label) => !seen.has(label));
  if (missing.length > 0) {
    throw new Error(
      `Cannot read image folder: no readable train images of ${
        some(missing)
      } in ${directory}${also}`,
    );
  }
}
