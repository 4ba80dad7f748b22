import type { BrokenImage } from "../../dataset/dataset.ts";
import type { Source, SourceImage } from "./source.ts";
import { openSourceFiles, type SourceFiles } from "./source_files.ts";
import { readTar, type TarEntry } from "./tar.ts";

export const TRAIN_ARCHIVE = "ILSVRC2012_img_train.tar";
const VALIDATION_ARCHIVE = "ILSVRC2012_img_val.tar";
const GROUND_TRUTH = "ILSVRC2012_validation_ground_truth.txt";
const SYNSETS = "synsets.txt";

/** Makes the class list from the development kit, which has it as a MATLAB file alone. */
export const HOW_TO_GET_SYNSETS =
  `from the development kit, python3 -c "from scipy.io import loadmat; ` +
  `[print(s['WNID'], s['words']) for s in ` +
  `loadmat('data/meta.mat', squeeze_me=True)['synsets'][:1000]]" > ${SYNSETS}`;

/**
 * ILSVRC-2012 as it is distributed: the archive of 1,000 archives, one a synset; the validation
 * archive with its ground truth, whose numbers count from 1 in the order of the development kit; and
 * that order as `synsets.txt`, a synset and its words a line. Labels count the synsets in
 * alphabetical order, as Caffe's and torchvision's do.
 *
 * Only headers are read. The archives stay as they are.
 *
 * @throws {Error} a file is missing
 * @throws {SyntaxError} the lists do not fit each other or the archives
 */
export async function openIlsvrcSource(address: string): Promise<Source> {
  const files = openSourceFiles(address);
  try {
    const refused: BrokenImage[] = [];
    const training = await readTraining(files, refused);
    const kit = await readSynsets(files);
    const names = new Map(kit.map((line) => [synsetOf(line), line]));
    const synsets = [...new Set(training.map(({ synset }) => synset))].sort();
    const unlisted = synsets.filter((synset) => kit.length > 0 && !names.has(synset));
    if (unlisted.length > 0) {
      throw new SyntaxError(
        `Cannot read ILSVRC-2012: ${unlisted[0]} of ${TRAIN_ARCHIVE} is not in ${SYNSETS}`,
      );
    }
    const labels = new Map(synsets.map((synset, label) => [synset, label]));
    const images: SourceImage[] = training.map(({ synset, ...image }) => ({
      ...image,
      label: labels.get(synset)!,
      split: "train",
    }));
    const hasValidation = await files.size(VALIDATION_ARCHIVE) !== null;
    if (hasValidation) images.push(...await readValidation(files, kit, labels, refused));
    return {
      kind: "ILSVRC-2012",
      address,
      classes: synsets.map((synset) => names.get(synset) ?? synset),
      images,
      raw: null,
      refused,
      warnings: hasValidation ? [] : [
        `There is no ${VALIDATION_ARCHIVE}: validation images are held out of the training ones`,
      ],
    };
  } finally {
    files.close();
  }
}

async function readTraining(files: SourceFiles, refused: BrokenImage[]) {
  const images: { name: string; synset: string; file: string; range: TarEntry["range"] }[] = [];
  for await (const inner of entriesOf(files, TRAIN_ARCHIVE, refused, { nested: true })) {
    const synset = /(?:^|\/)([^/]+)\.tar$/.exec(inner.name)?.[1];
    if (synset === undefined) {
      refused.push({ file: `${TRAIN_ARCHIVE}/${inner.name}`, reason: "it is no archive" });
      continue;
    }
    const size = await sizeOf(files, TRAIN_ARCHIVE);
    const range = { start: inner.range.start, end: Math.min(inner.range.end, size) };
    for await (const { name, range: place, problem } of readTar(files, TRAIN_ARCHIVE, range)) {
      const full = `${inner.name}/${name}`;
      if (problem === null) images.push({ name: full, synset, file: TRAIN_ARCHIVE, range: place });
      else refused.push({ file: full, reason: problem });
    }
  }
  if (images.length > 0) return images;
  throw new SyntaxError(
    `Cannot read ILSVRC-2012: ${TRAIN_ARCHIVE} holds no images (expected archives of a synset each)`,
  );
}

async function readValidation(
  files: SourceFiles,
  kit: string[],
  labels: Map<string, number>,
  refused: BrokenImage[],
): Promise<SourceImage[]> {
  if (kit.length === 0) {
    throw new Error(
      `Cannot read ILSVRC-2012: ${SYNSETS} is missing beside ${VALIDATION_ARCHIVE}, whose ground ` +
        `truth counts by it (${HOW_TO_GET_SYNSETS})`,
    );
  }
  const isSorted = kit.every((line, i) => i === 0 || synsetOf(kit[i - 1]!) < synsetOf(line));
  if (isSorted && kit.length > 1) {
    throw new SyntaxError(
      `Cannot read ILSVRC-2012: ${SYNSETS} is in alphabetical order, but ${GROUND_TRUTH} counts in ` +
        `the development kit's (${HOW_TO_GET_SYNSETS})`,
    );
  }
  const truth = (await readLines(files, GROUND_TRUTH)).map(Number);
  const images: SourceImage[] = [];
  for await (const { name, range } of entriesOf(files, VALIDATION_ARCHIVE, refused)) {
    const number = Number(/_(\d{8})\.JPEG$/i.exec(name)?.[1]);
    const label = labels.get(synsetOf(kit[truth[number - 1]! - 1] ?? ""));
    if (label === undefined) {
      throw new SyntaxError(
        `Cannot read ILSVRC-2012: ${name} of ${VALIDATION_ARCHIVE} has no class: line ${number} of ` +
          `${GROUND_TRUTH} is ${truth[number - 1]} (expected 1 to ${kit.length}, a line of ` +
          `${SYNSETS} that ${TRAIN_ARCHIVE} has images of)`,
      );
    }
    images.push({ name, label, split: "validation", file: VALIDATION_ARCHIVE, range });
  }
  return images;
}

/** The whole members of an archive; what cannot be read is refused by name. */
async function* entriesOf(
  files: SourceFiles,
  archive: string,
  refused: BrokenImage[],
  { nested = false } = {},
): AsyncGenerator<TarEntry> {
  const range = { start: 0, end: await sizeOf(files, archive) };
  for await (const entry of readTar(files, archive, range)) {
    const isCut = entry.range.end > range.end;
    if (entry.problem === null || (nested && isCut)) yield entry;
    else refused.push({ file: `${archive}/${entry.name}`, reason: entry.problem });
  }
}

async function sizeOf(files: SourceFiles, name: string): Promise<number> {
  const size = await files.size(name);
  if (size === null) throw new Error(`Cannot read ILSVRC-2012: ${name} is missing`);
  return size;
}

/** The development kit's order, or nothing where there is no list. */
async function readSynsets(files: SourceFiles): Promise<string[]> {
  return await files.size(SYNSETS) === null ? [] : await readLines(files, SYNSETS);
}

async function readLines(files: SourceFiles, name: string): Promise<string[]> {
  const text = new TextDecoder().decode(await files.read(name));
  return text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
}

function synsetOf(line: string): string {
  return line.split(/\s/, 1)[0]!;
}
