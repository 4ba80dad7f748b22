/**
 * A run's folder: `run.json` (what was trained, how, on what), `metrics.jsonl` (a line an epoch, and one every so many steps),
 * `checkpoints/` (weights and momenta, and where training stood) with `checkpoints.json`,
 * `evaluation.json` (what a checkpoint gets right on data of its own), `lock` (held while the run is
 * trained) and, where there are such, `mean_crop.f32` (the mean image that is subtracted) and
 * `trace.json` (a profile).
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { laterSettings, StoredConfigSchema } from "./config.ts";
import type { StepMetrics } from "./metrics/step_metrics.ts";
import type { EpochRecord } from "./trainer/training_observer.ts";
import type { TrainingState } from "./training_state.ts";
import { writeAtomically } from "./write_atomically.ts";

const RunSchema = z.strictObject({
  codeVersion: z.string(),
  startedAt: z.iso.datetime(),
  config: StoredConfigSchema,
  classes: z.array(z.string()).min(2),
  /** Per channel, in the units of pixels. */
  mean: z.array(z.number()),
  std: z.array(z.number().positive()),
  /** sha256 of mean_crop.f32, where the mean image is subtracted; see `Normalization`. */
  meanCrop: z.string().optional(),
  /** Principal components of the training set's colours, where there is colour noise. */
  colorComponents: z.strictObject({
    values: z.array(z.number()),
    vectors: z.array(z.array(z.number())),
  }).optional(),
  /** The published version whose weights it began from; random ones where there is none. */
  parent: z.string().optional(),
  adapter: z.string(),
  /**
   * The tile of each product by problem key: they fix the order of sums, and so the weights' bits.
   * Runs of before 2026-11-24 have none.
   */
  tiles: z.record(z.string(), z.string()).optional(),
  data: z.strictObject({
    fingerprint: z.string(),
    /** See `contentFingerprint`, where each image has a file. */
    content: z.string().optional(),
    /** Where it lay, as it was named; runs of before 2026-11-24 do not say. */
    source: z.string().optional(),
    images: z.strictObject({
      train: z.int(),
      validation: z.int(),
      test: z.int(),
      broken: z.int(),
    }),
  }),
});

export type Run = z.infer<typeof RunSchema>;

export const SPLIT_NAMES = ["train", "validation", "test"] as const;
export type SplitName = typeof SPLIT_NAMES[number];

const RunEvaluationSchema = z.strictObject({
  split: z.enum(SPLIT_NAMES),
  /** Steps that the measured checkpoint had been trained. */
  step: z.int().nonnegative(),
  images: z.int().positive(),
  loss: z.number(),
  top1Error: z.number(),
  top5Error: z.number(),
  dataFingerprint: z.string(),
});

export type RunEvaluation = z.infer<typeof RunEvaluationSchema>;

const RUN_FILE = "run.json";
const METRICS_FILE = "metrics.jsonl";
const EVALUATION_FILE = "evaluation.json";
const TRACE_FILE = "trace.json";

/** @throws {Error} where the folder already holds a run. */
export async function requireNoRun(folder: string): Promise<void> {
  const exists = await Deno.lstat(join(folder, RUN_FILE)).then(() => true, () => false);
  if (!exists) return;
  throw new Error(`Cannot train into ${folder}: it holds a run (name another with --out)`);
}

/**
 * Makes the folder and writes `run.json`.
 *
 * @throws {Error} where the folder already holds a run or cannot be made.
 */
export async function createRunFolder(folder: string, run: Run): Promise<void> {
  await makeRunFolder(folder);
  await requireNoRun(folder);
  await writeRun(folder, run);
}

/** @throws {Error} where the folder cannot be made. */
async function makeRunFolder(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (cause) {
    const { message } = cause as Error;
    throw new Error(`Cannot train into ${folder}: the folder cannot be made (${message})`, {
      cause,
    });
  }
}

/** Replaces `run.json`. */
export async function writeRun(folder: string, run: Run): Promise<void> {
  await writeJson(join(folder, RUN_FILE), run);
}

/**
 * Settings that a run of an earlier version says nothing of are what that version did, and are named
 * on standard error.
 *
 * @throws {Error} where the folder holds no run.
 * @throws {SyntaxError} where its `run.json` is damaged.
 */
export async function readRun(folder: string): Promise<Run> {
  const path = join(folder, RUN_FILE);
  const stored = await readValue(path);
  if (stored === null) {
    throw new Error(
      `Cannot read run ${folder}: no ${RUN_FILE} in it (train one: ./topfive train --out ${folder})`,
    );
  }
  const run = checked(path, stored, RunSchema);
  tellLater(path, laterSettings((stored as { config: unknown }).config));
  return run;
}

const told = new Set<string>();

function tellLater(path: string, later: Partial<Run["config"]>): void {
  const names = Object.entries(later).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  if (names.length === 0 || told.has(path)) return;
  told.add(path);
  console.error(`note: ${path} is of an earlier version, which had ${names.join(", ")}`);
}

/** Adds a line to `metrics.jsonl`, and flushes it: the checkpoint that counts on it comes after. */
export async function appendMetrics(
  folder: string,
  record: EpochRecord | StepMetrics,
): Promise<void> {
  const line = new TextEncoder().encode(JSON.stringify(record) + "\n");
  using file = await Deno.open(join(folder, METRICS_FILE), { append: true, create: true });
  await file.write(line);
  await file.syncData();
}

/**
 * Takes from `metrics.jsonl` what comes after a state that training goes on from, and a line that a
 * killed process did not finish.
 */
export async function keepMetricsUntil(folder: string, state: TrainingState): Promise<void> {
  const path = join(folder, METRICS_FILE);
  const text = await Deno.readTextFile(path).catch(() => "");
  // An epoch that is trained but not measured will be reported when it is.
  const lastEpoch = state.epoch.images > 0 ? state.step - 1 : state.step;
  const kept = text.split("\n").filter((line) => {
    const record = parseLine(line);
    return record !== null && record.step <= (record.kind === "step" ? state.step : lastEpoch);
  });
  const lines = kept.map((line) => line + "\n").join("");
  if (lines === text) return;
  await writeAtomically(path, [new TextEncoder().encode(lines)]);
}

function parseLine(line: string): { step: number; kind?: string } | null {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** Keeps an evaluation in the run; the last one counts. */
export async function writeEvaluation(folder: string, evaluation: RunEvaluation): Promise<void> {
  await writeJson(join(folder, EVALUATION_FILE), evaluation);
}

/**
 * The run's last evaluation, or null where it was never measured.
 *
 * @throws {SyntaxError} where the file is damaged.
 */
export async function readEvaluation(folder: string): Promise<RunEvaluation | null> {
  return await readJson(join(folder, EVALUATION_FILE), RunEvaluationSchema);
}

/** Keeps the timed steps of a profiled run, and gives the file's path. */
export async function writeTrace(folder: string, trace: unknown): Promise<string> {
  const path = join(folder, TRACE_FILE);
  await writeAtomically(path, [new TextEncoder().encode(JSON.stringify(trace))]);
  return path;
}

async function writeJson(path: string, value: unknown): Promise<void> {
  const text = JSON.stringify(value, null, 2) + "\n";
  await writeAtomically(path, [new TextEncoder().encode(text)]);
}

async function readJson<Output>(path: string, schema: z.ZodType<Output>): Promise<Output | null> {
  const value = await readValue(path);
  return value === null ? null : checked(path, value, schema);
}

/** Null where there is no such file. */
async function readValue(path: string): Promise<unknown> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    const { message } = error as Error;
    throw new SyntaxError(`Cannot read ${path}: ${message}`, { cause: error });
  }
}

function checked<Output>(path: string, value: unknown, schema: z.ZodType<Output>): Output {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new SyntaxError(`Cannot read ${path}: ${issue!.path.join(".")}: ${issue!.message}`);
}
