import { join } from "node:path";
import { statfs } from "node:fs/promises";
import { readPreparedIndex } from "../dataset/shards/prepared_index.ts";
import { recordsOffsetFor } from "../dataset/shards/shard_format.ts";
import { runInWorkers } from "../dataset/worker_pool.ts";
import { finish, REPORT_FILE } from "./finish.ts";
import { readFinished } from "./finished_shard.ts";
import type { HashResult, HashTask } from "./hash_worker.ts";
import {
  assignSplits,
  makePlan,
  needsContent,
  type Plan,
  type PlannedShard,
  type PrepareSettings,
} from "./plan.ts";
import type { Report } from "./report.ts";
import type { ShardTask } from "./shard_worker.ts";
import { openSource } from "./sources/open_source.ts";
import type { Source } from "./sources/source.ts";

export interface PrepareOptions {
  /** A path or an object store's address, see `openSource`. */
  readonly source: string;
  /** Where the prepared data go; made where it is not there. */
  readonly folder: string;
  /** Side and channels are the source's own where it has pixels and no files, else 256 and 3. */
  readonly settings: Omit<PrepareSettings, "side" | "channels"> & {
    readonly side?: number | undefined;
    readonly channels?: 1 | 3 | undefined;
  };
  readonly workers?: number | undefined;
  /** Called about five times a second. */
  readonly onProgress?: (progress: PrepareProgress) => void;
}

export interface PrepareProgress {
  readonly stage: "hashing" | "preparing";
  readonly done: number;
  readonly total: number;
  readonly broken: number;
  /** Of those done before this run. */
  readonly resumed: number;
  readonly perSecond: number;
}

export interface Prepared {
  readonly report: Report;
  readonly side: number;
  readonly channels: 1 | 3;
  /** Images that this run read and those that an earlier one had. */
  readonly done: number;
  readonly resumed: number;
  readonly seconds: number;
}

const WORK_FOLDER = ".work";
const PLAN_FILE = "plan";
const DEFAULT_SIDE = 256;
const PROGRESS_MS = 200;
const IMAGES_PER_HASH_TASK = 256;

/**
 * Makes shards of a source's images, on all cores. A run that was killed goes on at the first shard
 * that it had not finished; one that is complete gives its report again. The same source and
 * settings give the same bytes, whatever the number of Workers and however often it was killed.
 *
 * @throws {Error} the source cannot be read, the folder holds something else, or the disk is too small
 */
export async function prepare(options: PrepareOptions): Promise<Prepared> {
  const start = performance.now();
  const { folder } = options;
  const workFolder = join(folder, WORK_FOLDER);
  await requireOurs(folder);
  await Deno.mkdir(workFolder, { recursive: true });
  using _lock = await lock(workFolder, folder);
  const source = await openSource(options.source, { workFolder });
  if (source.images.length === 0) {
    const first = source.refused[0];
    const cause = first ? `; the first: ${first.file}: ${first.reason}` : "";
    throw new Error(`Cannot prepare data: no readable images in ${options.source}${cause}`);
  }
  const settings = {
    ...options.settings,
    side: options.settings.side ?? source.raw?.height ?? DEFAULT_SIDE,
    channels: options.settings.channels ?? source.raw?.channels ?? 3,
  };
  const parts = await hashContents(source, settings, options);
  const plan = makePlan(source, settings, assignSplits(source, settings, parts));
  const ended = (report: Report, counts: { done: number; resumed: number }): Prepared => ({
    report,
    side: settings.side,
    channels: settings.channels,
    ...counts,
    seconds: (performance.now() - start) / 1000,
  });

  const index = await readPreparedIndex(folder);
  if (index !== null && index.source.plan === plan.fingerprint) {
    const report = JSON.parse(await Deno.readTextFile(join(folder, REPORT_FILE)));
    await Deno.remove(workFolder, { recursive: true });
    return ended(report, { done: 0, resumed: report.images.read });
  }
  await requireSamePlan(folder, workFolder, plan.fingerprint, index !== null);
  const counts = await writeShards({ source, settings, plan, folder, workFolder }, options);
  const report = await finish({ source, settings, plan, folder, workFolder });
  await Deno.remove(workFolder, { recursive: true });
  return ended(report, counts);
}

/** A folder with other things in it is somebody's. */
async function requireOurs(folder: string): Promise<void> {
  let entries: string[];
  try {
    entries = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw new Error(`Cannot prepare into ${folder}: ${(error as Error).message}`, { cause: error });
  }
  const isOurs = entries.length === 0 || entries.includes(WORK_FOLDER) ||
    await readPreparedIndex(folder) !== null;
  if (isOurs) return;
  throw new Error(
    `Cannot prepare into ${folder}: it holds ${entries[0]} (name a new folder)`,
  );
}

/** Released when the process ends, however it does. */
async function lock(workFolder: string, folder: string): Promise<Disposable> {
  const file = await Deno.open(join(workFolder, "lock"), { write: true, create: true });
  if (await file.tryLock(true)) return file;
  file.close();
  throw new Error(`Cannot prepare into ${folder}: another process is at it`);
}

async function requireSamePlan(
  folder: string,
  workFolder: string,
  fingerprint: string,
  isComplete: boolean,
): Promise<void> {
  const path = join(workFolder, PLAN_FILE);
  const known = await Deno.readTextFile(path).catch(() => null);
  if (isComplete || (known !== null && known !== fingerprint)) {
    if (isComplete) await Deno.remove(workFolder, { recursive: true });
    throw new Error(
      `Cannot prepare into ${folder}: it holds ${
        isComplete ? "data" : "a part of data"
      } of other ` +
        `images or settings (name a new folder, or remove this one)`,
    );
  }
  await Deno.writeTextFile(path, fingerprint);
}

/** A fraction by image, see `assignSplits`; all 1 where no split is left to the content. */
async function hashContents(
  source: Source,
  settings: PrepareSettings,
  options: PrepareOptions,
): Promise<Float64Array> {
  const isAsked = needsContent(source, settings);
  const places = [...source.images.keys()].filter(isAsked);
  const parts = new Float64Array(source.images.length).fill(1);
  const start = performance.now();
  let done = 0;
  function* tasks(): Generator<HashTask> {
    for (let at = 0; at < places.length; at += IMAGES_PER_HASH_TASK) {
      const some = places.slice(at, at + IMAGES_PER_HASH_TASK);
      yield {
        address: source.address,
        images: some.map((i) => withoutName(source.images[i]!)),
        places: some,
      };
    }
  }
  await runInWorkers<HashTask, HashResult>({
    module: new URL("./hash_worker.ts", import.meta.url),
    tasks: tasks(),
    ...(options.workers === undefined ? {} : { workers: options.workers }),
    onResult: (result, { places: some }) => {
      some.forEach((place, i) => parts[place] = result[i]!);
      done += some.length;
      const perSecond = 1000 * done / (performance.now() - start);
      options.onProgress?.({
        stage: "hashing",
        done,
        total: places.length,
        broken: 0,
        resumed: 0,
        perSecond,
      });
    },
  });
  return parts;
}

interface Work {
  readonly source: Source;
  readonly settings: PrepareSettings;
  readonly plan: Plan;
  readonly folder: string;
  readonly workFolder: string;
}

async function writeShards(work: Work, options: PrepareOptions) {
  const { source, plan, folder, workFolder } = work;
  const pending: PlannedShard[] = [];
  for (const shard of plan.shards) {
    const finished = await readFinished(workFolder, shard.file);
    if (finished === null || !await isWhole(join(folder, shard.file), finished.bytes)) {
      pending.push(shard);
    }
  }
  await requireSpace(work, pending);
  const total = source.images.length;
  const toDo = pending.reduce((sum, { images }) => sum + images.length, 0);
  const resumed = total - toDo;
  const progress = new Int32Array(new SharedArrayBuffer(8));
  const start = performance.now();
  const report = () => {
    const done = Atomics.load(progress, 0);
    const perSecond = 1000 * done / Math.max(performance.now() - start, 1);
    options.onProgress?.({
      stage: "preparing",
      done: resumed + done,
      total,
      broken: Atomics.load(progress, 1),
      resumed,
      perSecond,
    });
  };
  const timer = setInterval(report, PROGRESS_MS);
  try {
    await runInWorkers<ShardTask, null>({
      module: new URL("./shard_worker.ts", import.meta.url),
      tasks: shardTasks(work, pending, progress),
      ...(options.workers === undefined ? {} : { workers: options.workers }),
      onResult: () => {},
    });
  } finally {
    clearInterval(timer);
  }
  report();
  return { done: toDo, resumed };
}

function* shardTasks(
  { source, settings, folder, workFolder }: Work,
  pending: readonly PlannedShard[],
  progress: Int32Array<SharedArrayBuffer>,
): Generator<ShardTask> {
  const { side, channels, maxPixels } = settings;
  const { address, raw } = source;
  for (const { file, split, images } of pending) {
    yield {
      address,
      raw,
      images: Array.from(images, (i) => withoutName(source.images[i]!)),
      split,
      file,
      folder,
      workFolder,
      side,
      channels,
      maxPixels,
      progress,
    };
  }
}

function withoutName({ file, range, label }: Source["images"][number]) {
  return range === undefined ? { file, label } : { file, range, label };
}

/** A shard without a record has no file. */
async function isWhole(path: string, bytes: number): Promise<boolean> {
  const size = await Deno.stat(path).then((info) => info.size, () => 0);
  return size === bytes;
}

async function requireSpace(work: Work, pending: readonly PlannedShard[]): Promise<void> {
  const { settings: { side, channels }, folder } = work;
  const needed = pending.reduce(
    (sum, { images }) =>
      sum + recordsOffsetFor(images.length) + images.length * side * side * channels,
    0,
  );
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (needed <= free) return;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new Error(
    `Cannot prepare into ${folder}: it needs ${gigabytes(needed)} and the disk has ` +
      `${gigabytes(free)} (name a folder on another disk, or a smaller --side)`,
  );
}
