import { createHash } from "node:crypto";
import { join } from "node:path";
import { ContentFingerprint } from "../dataset/content_fingerprint.ts";
import type { BrokenImage } from "../dataset/dataset.ts";
import { BROKEN_FILE } from "../dataset/shards/open_prepared.ts";
import {
  INDEX_HEAD,
  MEAN_IMAGE_FILE,
  type PreparedIndex,
  type ShardEntry,
  writePreparedIndex,
} from "../dataset/shards/prepared_index.ts";
import { type Statistics, StatisticsSums } from "../dataset/statistics.ts";
import { writeAtomically } from "../write_atomically.ts";
import { emptyKeys, findDuplicates, setKey } from "./duplicates.ts";
import { addSums, readFinished } from "./finished_shard.ts";
import { type Plan, type PrepareSettings, SPLITS } from "./plan.ts";
import { BROKEN_SHOWN, type ClassCount, type Report, warningsOf } from "./report.ts";
import type { Source, SplitName } from "./sources/source.ts";

export const REPORT_FILE = "report.json";

interface Finish {
  readonly source: Source;
  readonly settings: PrepareSettings;
  readonly plan: Plan;
  readonly folder: string;
  readonly workFolder: string;
}

/**
 * Puts together what the shards' Workers left: statistics, duplicates, the report and, last, the
 * index that makes the folder a data set.
 *
 * @throws {Error} no training image could be read
 */
export async function finish(work: Finish): Promise<Report> {
  const { source, settings, plan, folder } = work;
  const gathered = await gather(work);
  const { broken, classes, shards } = gathered;
  if (gathered.sums.images === 0) {
    const [first] = broken;
    const cause = first ? `; the first: ${first.file}: ${first.reason}` : "";
    throw new Error(`Cannot prepare data: no training image could be read${cause}`);
  }
  const duplicates = findDuplicates({
    ...gathered,
    describe: (i) => ({
      file: source.images[i]!.name,
      split: plan.splits[i]!,
      label: source.images[i]!.label,
    }),
  });
  const warnings = [...source.warnings, ...warningsOf(classes, duplicates, broken.length)];
  const statistics = gathered.sums.finish();
  const meanImage = await writeMeanImage(folder, statistics);
  await writeLines(join(folder, BROKEN_FILE), broken);

  const counts = Object.fromEntries(
    SPLITS.map((split) => [split, classes.reduce((sum, each) => sum + each[split], 0)]),
  ) as Record<SplitName, number>;
  const all = SPLITS.flatMap((split) => shards[split]);
  const training = classes.map(({ train }) => train);
  const report: Report = {
    source: source.kind,
    images: {
      found: source.images.length + source.refused.length,
      read: counts.train + counts.validation + counts.test,
      broken: broken.length,
      ...counts,
    },
    broken: broken.slice(0, BROKEN_SHOWN),
    duplicates,
    classes,
    balance: {
      least: training.reduce((a, b) => Math.min(a, b)),
      most: training.reduce((a, b) => Math.max(a, b)),
    },
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    shards: all.length,
    warnings,
  };
  await writeText(join(folder, REPORT_FILE), JSON.stringify(report, null, 2) + "\n");

  const { mean, std, covariance, eigen } = statistics;
  const entry = (split: SplitName) => ({ count: counts[split], shards: shards[split] });
  const index: Omit<PreparedIndex, "fingerprint"> = {
    ...INDEX_HEAD,
    side: settings.side,
    channels: settings.channels,
    seed: settings.seed,
    classes: [...source.classes],
    source: { kind: source.kind, plan: plan.fingerprint },
    splits: {
      train: entry("train"),
      validation: entry("validation"),
      test: plan.splits.includes("test") ? entry("test") : null,
    },
    statistics: { mean, std, covariance, eigen, meanImage },
    broken: broken.length,
    warnings,
    content: await fingerprintContent(work),
  };
  await writePreparedIndex(folder, { ...index, fingerprint: fingerprintOf(index) });
  return report;
}

/** Adds up the shards' records one by one; sums of integers do not depend on their order. */
async function gather({ source, settings, plan, workFolder }: Finish) {
  const { side, channels } = settings;
  const sums = new StatisticsSums(side * side * channels, channels);
  const keys = emptyKeys(source.images.length);
  const isRead = new Uint8Array(source.images.length);
  const broken: BrokenImage[] = [...source.refused];
  const classes = source.classes.map((name) => ({ name, train: 0, validation: 0, test: 0 }));
  const shards: Record<SplitName, ShardEntry[]> = { train: [], validation: [], test: [] };
  for (const { file, split, images } of plan.shards) {
    const finished = (await readFinished(workFolder, file))!;
    await addSums(sums, workFolder, finished);
    const reasons = new Map(finished.broken);
    images.forEach((image, i) => {
      const reason = reasons.get(i);
      if (reason !== undefined) return broken.push({ file: source.images[image]!.name, reason });
      setKey(keys, image, finished.hashes[i]!);
      isRead[image] = 1;
      classes[source.images[image]!.label]![split]++;
    });
    const { count, bytes, sha256 } = finished;
    if (count > 0) shards[split].push({ file, count, bytes, sha256 });
  }
  broken.sort((a, b) => a.file < b.file ? -1 : a.file > b.file ? 1 : 0);
  return { sums, keys, isRead, broken, classes: classes as ClassCount[], shards };
}

/** Reads the shards' records once more: together they would not be small. */
async function fingerprintContent({ source, plan, workFolder }: Finish): Promise<string> {
  const content = new ContentFingerprint(source.images.length);
  for (const { file, split, images } of plan.shards) {
    const { hashes, broken } = (await readFinished(workFolder, file))!;
    const left = new Set(broken.map(([i]) => i));
    images.forEach((image, i) => {
      const label = source.classes[source.images[image]!.label]!;
      if (!left.has(i)) content.add({ sha256: hashes[i]!, label, split });
    });
  }
  return content.digest();
}

async function writeMeanImage(folder: string, { meanImage }: Statistics) {
  const view = new DataView(new ArrayBuffer(4 * meanImage.length));
  meanImage.forEach((value, i) => view.setFloat32(4 * i, value, true));
  const bytes = new Uint8Array(view.buffer);
  await writeAtomically(join(folder, MEAN_IMAGE_FILE), [bytes]);
  return { file: MEAN_IMAGE_FILE, sha256: createHash("sha256").update(bytes).digest("hex") };
}

async function writeLines(path: string, lines: readonly unknown[]): Promise<void> {
  await writeText(path, lines.map((line) => JSON.stringify(line) + "\n").join(""));
}

async function writeText(path: string, text: string): Promise<void> {
  await writeAtomically(path, [new TextEncoder().encode(text)]);
}

/** Shards hold the labels, so their checksums and the classes name the content. */
function fingerprintOf({ classes, side, channels, splits }: Omit<PreparedIndex, "fingerprint">) {
  const shards = Object.values(splits).map((split) => split?.shards.map(({ sha256 }) => sha256));
  const text = JSON.stringify({ classes, side, channels, shards });
  return createHash("sha256").update(text).digest("hex");
}
