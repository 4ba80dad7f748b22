import { join } from "@std/path";
import type { BrokenImage } from "../../dataset/dataset.ts";
import type { OpenSourceOptions, Source, SourceImage, SplitName } from "./source.ts";
import { openSourceFiles, type Range, type SourceFiles, splitAddress } from "./source_files.ts";
import { readTar } from "./tar.ts";
import { unpackTo } from "./unpack.ts";

const SIDE = 32;
const PIXEL_BYTES = 3 * SIDE * SIDE;
/** Records whose labels are found in one read. */
const RECORDS_PER_READ = 1000;

/** One of the two sets: where its parts are and what stands before the pixels of a record. */
interface Variety {
  readonly parts: readonly { readonly file: string; readonly split: SplitName }[];
  readonly namesFile: string;
  readonly labelBytes: number;
}

const CIFAR10: Variety = {
  parts: [
    ...[1, 2, 3, 4, 5].map((i) => ({ file: `data_batch_${i}.bin`, split: "train" as const })),
    { file: "test_batch.bin", split: "test" },
  ],
  namesFile: "batches.meta.txt",
  labelBytes: 1,
};

/** A coarse label stands before the fine one, which is the class. */
const CIFAR100: Variety = {
  parts: [{ file: "train.bin", split: "train" }, { file: "test.bin", split: "test" }],
  namesFile: "fine_label_names.txt",
  labelBytes: 2,
};

const ARCHIVES = ["10", "100"].flatMap((classes) =>
  [".tar.gz", ".tar"].map((extension) => `cifar-${classes}-binary${extension}`)
);

/** The CIFAR archive or folder at an address as one to open, or null where there is none. */
export async function findCifar(address: string, files: SourceFiles): Promise<string | null> {
  for (const name of ARCHIVES) if (await files.size(name) !== null) return `${address}/${name}`;
  for (const { parts: [first] } of [CIFAR10, CIFAR100]) {
    if (await files.size(first!.file) !== null) return address;
  }
  return null;
}

/** Whether a name is that of an archive that may hold CIFAR. */
export function isArchiveName(name: string): boolean {
  return /\.(tar|tar\.gz|tgz)$/i.test(name);
}

/**
 * CIFAR-10 or CIFAR-100 in the binary version, as the archive or as its files.
 *
 * @throws {SyntaxError} it is neither, or a label is none
 * @throws {Error} a file is missing
 */
export async function openCifarSource(
  address: string,
  { workFolder }: OpenSourceOptions,
): Promise<Source> {
  const { parent, name } = splitAddress(address);
  const isArchive = isArchiveName(name);
  if (isArchive) {
    const packed = openSourceFiles(parent);
    await unpackTo(packed, name, join(workFolder, "cifar.tar"));
    packed.close();
  }
  const held = isArchive ? workFolder : address;
  const files = openSourceFiles(held);
  try {
    const find = isArchive ? await tarMembers(files, "cifar.tar") : folderMembers(files);
    for (const variety of [CIFAR10, CIFAR100]) {
      if (await find(variety.parts[0]!.file) === null) continue;
      return await readVariety(variety, files, find, held);
    }
    throw new SyntaxError(
      `Cannot read CIFAR: ${address} has neither ${CIFAR10.parts[0]!.file} nor ` +
        `${CIFAR100.parts[0]!.file} (expected the binary version of CIFAR-10 or CIFAR-100)`,
    );
  } finally {
    files.close();
  }
}

interface Member {
  readonly file: string;
  readonly range: Range;
}
type FindMember = (name: string) => Promise<Member | null>;

function folderMembers(files: SourceFiles): FindMember {
  return async (name) => {
    const size = await files.size(name);
    return size === null ? null : { file: name, range: { start: 0, end: size } };
  };
}

/** By the last part of the name: the archive has a folder of its own. */
async function tarMembers(files: SourceFiles, archive: string): Promise<FindMember> {
  const members = new Map<string, Member>();
  const end = await files.size(archive) ?? 0;
  for await (const { name, range, problem } of readTar(files, archive, { start: 0, end })) {
    const part = name.split("/").at(-1)!;
    if (problem !== null) throw new SyntaxError(`Cannot read CIFAR: ${name}: ${problem}`);
    members.set(part, { file: archive, range });
  }
  return (name) => Promise.resolve(members.get(name) ?? null);
}

async function readVariety(
  { parts, namesFile, labelBytes }: Variety,
  files: SourceFiles,
  find: FindMember,
  address: string,
): Promise<Source> {
  const require = async (name: string): Promise<Member> => {
    const member = await find(name);
    if (member === null) throw new Error(`Cannot read CIFAR: ${name} is missing`);
    return member;
  };
  const names = await require(namesFile);
  const text = new TextDecoder().decode(await files.read(names.file, names.range));
  const classes = text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
  const images: SourceImage[] = [];
  const refused: BrokenImage[] = [];
  for (const { file: part, split } of parts) {
    const { file, range } = await require(part);
    let number = 0;
    for await (const { label, start } of readLabels(files, file, range, labelBytes)) {
      const name = `${part}/${number++}`;
      if (start + PIXEL_BYTES > range.end) {
        refused.push({ file: name, reason: `${part} is cut off in it` });
      } else if (label >= classes.length) {
        throw new SyntaxError(
          `Cannot read CIFAR: ${name} has label ${label} (expected 0 to ${classes.length - 1})`,
        );
      } else {
        images.push({ name, label, split, file, range: { start, end: start + PIXEL_BYTES } });
      }
    }
  }
  const raw = { width: SIDE, height: SIDE, channels: 3, order: "planar" } as const;
  return { kind: "CIFAR", address, classes, images, raw, refused, warnings: [] };
}

/** The class of each record and where its pixels begin. */
async function* readLabels(files: SourceFiles, file: string, range: Range, labelBytes: number) {
  const recordBytes = labelBytes + PIXEL_BYTES;
  for (let at = range.start; at < range.end; at += RECORDS_PER_READ * recordBytes) {
    const end = Math.min(at + RECORDS_PER_READ * recordBytes, range.end);
    const bytes = await files.read(file, { start: at, end });
    for (let i = 0; i < bytes.length; i += recordBytes) {
      yield { label: bytes[i + labelBytes - 1] ?? 0, start: at + i + labelBytes };
    }
  }
}
