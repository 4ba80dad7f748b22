import { join } from "@std/path";
import { type IdxArray, parseIdx } from "../../dataset/idx.ts";
import { idxFileNames, VALIDATION_COUNT } from "../../dataset/mnist.ts";
import type { OpenSourceOptions, Source, SourceImage, SplitName } from "./source.ts";
import { openSourceFiles, type SourceFiles } from "./source_files.ts";
import { unpackTo } from "./unpack.ts";

/** Whether a source holds an IDX training set, by the name of its images. */
export async function holdsIdx(files: SourceFiles): Promise<boolean> {
  return await findIdx(files, "train-images", 3) !== null;
}

/**
 * MNIST's four files or a set like it, see `readMnist`: the last 5,000 training images are the
 * validation split. Classes are named by their number.
 *
 * @throws {SyntaxError} a file is damaged
 * @throws {Error} a file is missing, or files do not fit each other
 */
export async function openIdxSource(
  address: string,
  { workFolder }: OpenSourceOptions,
): Promise<Source> {
  const files = openSourceFiles(address);
  const train = await readPair(files, "train", workFolder);
  const test = await readPair(files, "t10k", workFolder);
  files.close();
  const [count, height, width] = train.dimensions;
  if (test.dimensions[1] !== height || test.dimensions[2] !== width) {
    throw new RangeError(`Cannot read IDX folder: training and test images differ in size`);
  }
  const boundary = count > VALIDATION_COUNT ? count - VALIDATION_COUNT : count;
  const images = [
    ...imagesOf(train, "train", (i) => i < boundary ? "train" : "validation"),
    ...imagesOf(test, "t10k", () => "test"),
  ];
  const greatest = images.reduce((most, { label }) => Math.max(most, label), 0);
  return {
    kind: "IDX",
    address: workFolder,
    classes: Array.from({ length: greatest + 1 }, (_, label) => String(label)),
    images,
    raw: { width, height, channels: 1, order: "interleaved" },
    refused: [],
    warnings: [],
  };
}

interface Pair {
  readonly dimensions: [number, number, number];
  readonly labels: Uint8Array;
  /** In the work folder. */
  readonly file: string;
  /** Where the first image begins, bytes. */
  readonly start: number;
}

async function readPair(files: SourceFiles, part: string, workFolder: string): Promise<Pair> {
  const images = await readIdx(files, `${part}-images`, 3, workFolder);
  const labels = await readIdx(files, `${part}-labels`, 1, workFolder);
  const dimensions = images.array.dimensions as [number, number, number];
  if (labels.array.data.length !== dimensions[0]) {
    throw new RangeError(
      `Cannot read IDX folder: ${dimensions[0]} images but ${labels.array.data.length} labels in ` +
        `${part} files`,
    );
  }
  const start = images.length - images.array.data.length;
  return { dimensions, labels: labels.array.data, file: images.file, start };
}

async function readIdx(
  files: SourceFiles,
  part: string,
  rank: number,
  workFolder: string,
): Promise<{ array: IdxArray; file: string; length: number }> {
  const name = await findIdx(files, part, rank);
  if (name === null) {
    throw new Error(`Cannot read IDX folder: ${part}-idx${rank}-ubyte, plain or .gz, is missing`);
  }
  const path = join(workFolder, part);
  await unpackTo(files, name, path);
  const bytes = await Deno.readFile(path);
  return { array: parseIdx(bytes, name, rank), file: part, length: bytes.length };
}

async function findIdx(files: SourceFiles, part: string, rank: number): Promise<string | null> {
  for (const name of idxFileNames(part, rank)) if (await files.size(name) !== null) return name;
  return null;
}

function imagesOf(pair: Pair, part: string, splitOf: (i: number) => SplitName): SourceImage[] {
  const [, height, width] = pair.dimensions;
  const bytes = height * width;
  return Array.from(pair.labels, (label, i) => ({
    name: `${part}/${i}`,
    label,
    split: splitOf(i),
    file: pair.file,
    range: { start: pair.start + i * bytes, end: pair.start + (i + 1) * bytes },
  }));
}
