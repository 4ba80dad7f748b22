import { join } from "@std/path";
import { gunzipSync } from "node:zlib";
import { toRecord } from "../../shared/image/preprocess.ts";
import { messageOf } from "../../shared/message_of.ts";
import { type Dataset, fingerprintOf, memorySplit, type Split } from "./dataset.ts";
import { parseIdx } from "./idx.ts";
import { sharedBytes } from "./memory_source.ts";

export interface MnistOptions {
  /** Height and width of the records, pixels; those of the files unless given. */
  side?: number;
  /** 1 unless given; 3 repeats the gray value. */
  channels?: 1 | 3;
}

/** The end of the training files that is held out, as is usual for MNIST. */
export const VALIDATION_COUNT = 5000;

/** Above the largest IDX set in use, EMNIST ByClass: 697,932 images of 28 × 28, 547 MB. */
const MAX_UNPACKED_BYTES = 2 ** 30;

/** The two ways in which the files are named, both with or without .gz. */
const SEPARATORS = ["-", "."];

/** Whether a folder holds an IDX training set, by the name of its images. */
export async function isMnistFolder(directory: string): Promise<boolean> {
  return await findIdx(directory, "train-images", 3) !== null;
}

/**
 * Reads a set in MNIST's four files (MNIST, Fashion-MNIST, KMNIST, EMNIST under these names):
 * `{train,t10k}-{images-idx3,labels-idx1}-ubyte`, plain or .gz. The last 5,000 training images are
 * the validation split. Classes are named by their number.
 *
 * @throws {SyntaxError} a file is not IDX of unsigned bytes, is truncated, or has bytes left over
 * @throws {RangeError} images and labels differ in number, or too few images to hold any out
 * @throws {Error} a file is not there or cannot be unpacked
 */
export async function readMnist(directory: string, options: MnistOptions = {}): Promise<Dataset> {
  const train = await readPair(directory, "train", options);
  const test = await readPair(directory, "t10k", options);
  if (train.count <= VALIDATION_COUNT) {
    throw new RangeError(
      `Cannot read IDX folder: ${directory} has ${train.count} training images ` +
        `(expected more than the ${VALIDATION_COUNT} held out for validation)`,
    );
  }
  const channels = options.channels ?? 1;
  const boundary = train.count - VALIDATION_COUNT;
  const classCount = 1 + Math.max(greatest(train.labels), greatest(test.labels));
  const dataset = {
    classes: Array.from({ length: classCount }, (_, label) => String(label)),
    side: train.side,
    channels,
    train: slice(train, 0, boundary),
    validation: slice(train, boundary, train.count),
    test: slice(test, 0, test.count),
    broken: [],
    warnings: [],
  };
  return { ...dataset, fingerprint: fingerprintOf(dataset) };
}

/** The records of two files and their labels, in memory that Workers can read. */
interface Pair {
  records: Uint8Array<SharedArrayBuffer>;
  labels: Uint32Array;
  count: number;
  side: number;
}

async function readPair(
  directory: string,
  part: string,
  options: MnistOptions,
): Promise<Pair> {
  const images = await readIdx(directory, `${part}-images`, 3);
  const labels = await readIdx(directory, `${part}-labels`, 1);
  const [count, height, width] = images.dimensions as [number, number, number];
  if (labels.dimensions[0] !== count) {
    throw new RangeError(
      `Cannot read IDX folder: ${count} images but ${
        labels.dimensions[0]
      } labels in ${part} files ` +
        `of ${directory}`,
    );
  }
  const { side = height, channels = 1 } = options;
  const from = height * width, to = side * side * channels;
  const records = sharedBytes(count * to);
  if (side === height && side === width && channels === 1) {
    records.set(images.data);
  } else {
    for (let i = 0; i < count; i++) {
      const data = images.data.subarray(i * from, (i + 1) * from);
      records.set(toRecord({ width, height, channels: 1, data }, { side, channels }), i * to);
    }
  }
  return { records, labels: Uint32Array.from(labels.data), count, side };
}

async function readIdx(directory: string, name: string, rank: number) {
  const path = await findIdx(directory, name, rank);
  if (path === null) {
    throw new Error(
      `Cannot read IDX folder: ${name}-idx${rank}-ubyte, plain or .gz, is not in ${directory}`,
    );
  }
  const bytes = await Deno.readFile(path);
  return parseIdx(path.endsWith(".gz") ? unpack(bytes, path) : bytes, path, rank);
}

function unpack(bytes: Uint8Array, path: string): Uint8Array {
  try {
    return new Uint8Array(gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES }));
  } catch (cause) {
    const reason = messageOf(cause);
    throw new SyntaxError(`Cannot read IDX file ${path}: gzip failed (${reason})`, { cause });
  }
}

/** What an IDX file may be called: `name` is "train-images" or its like. */
export function idxFileNames(name: string, rank: number): string[] {
  return SEPARATORS.flatMap((separator) =>
    ["", ".gz"].map((extension) => `${name}${separator}idx${rank}-ubyte${extension}`)
  );
}

async function findIdx(directory: string, name: string, rank: number): Promise<string | null> {
  for (const candidate of idxFileNames(name, rank)) {
    const path = join(directory, candidate);
    const info = await Deno.stat(path).catch(() => null);
    if (info?.isFile) return path;
  }
  return null;
}

function slice({ records, labels, count }: Pair, start: number, end: number): Split {
  const bytes = records.length / count;
  return memorySplit(records.subarray(start * bytes, end * bytes), labels.subarray(start, end));
}

function greatest(labels: Uint32Array): number {
  return labels.reduce((most, label) => Math.max(most, label), 0);
}
