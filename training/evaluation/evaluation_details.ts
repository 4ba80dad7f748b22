/**
 * What an evaluation leaves in a run beside its numbers, for the report: `evaluation-details.json`
 * and `mistakes.png`, the records of the worst mistakes side by side in their order.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { lumaToRgb } from "../../shared/image/pixels.ts";
import type { Dataset, Split } from "../dataset/dataset.ts";
import { readRecord } from "../dataset/record_source.ts";
import { encodePng } from "../dataset/shapes/png.ts";
import { writeAtomically } from "../write_atomically.ts";
import type { Scores } from "./scores.ts";

const fraction = z.number().min(0).max(1);
const interval = z.tuple([fraction, fraction]);
const count = z.int().nonnegative();

export const EvaluationDetailsSchema = z.object({
  split: z.string(),
  views: z.int().positive(),
  models: z.array(z.string()).min(1),
  images: z.int().positive(),
  loss: z.number(),
  top1Error: fraction,
  top1Interval: interval,
  top5Error: fraction,
  top5Interval: interval,
  calibrationError: fraction,
  calibration: z.array(z.object({ images: count, confidence: fraction, accuracy: fraction })),
  confusion: z.array(z.tuple([count, count, count])),
  classes: z.array(z.object({
    name: z.string(),
    images: count,
    predicted: count,
    top1Error: fraction.nullable(),
    top5Error: fraction.nullable(),
    precision: fraction.nullable(),
  })),
  worst: z.array(z.object({
    index: count,
    file: z.string().nullable(),
    label: z.string(),
    predicted: z.string(),
    predictedProbability: fraction,
    labelProbability: fraction,
  })),
});
export type EvaluationDetails = z.infer<typeof EvaluationDetailsSchema>;

const DETAILS_FILE = "evaluation-details.json";
const MISTAKES_FILE = "mistakes.png";

/** Scores with names in place of numbers. */
export function describeScores(
  scores: Scores,
  { classes, split }: { readonly classes: readonly string[]; readonly split: Split },
): Omit<EvaluationDetails, "split" | "views" | "models"> {
  return {
    ...scores,
    top1Interval: [...scores.top1Interval],
    top5Interval: [...scores.top5Interval],
    calibration: [...scores.calibration],
    confusion: scores.confusion.map((cell) => [...cell]),
    classes: scores.classes.map((score, c) => ({ name: classes[c]!, ...score })),
    worst: scores.worst.map(({ label, predicted, ...mistake }) => ({
      ...mistake,
      file: split.files?.[mistake.index] ?? null,
      label: classes[label]!,
      predicted: classes[predicted]!,
    })),
  };
}

/** Keeps the details of a run's last evaluation, with the pictures it got wrong. */
export async function writeEvaluationDetails(
  folder: string,
  details: EvaluationDetails,
  data: { readonly split: Split; readonly dataset: Pick<Dataset, "side" | "channels"> },
): Promise<void> {
  const { split, dataset: { side, channels } } = data;
  const records = details.worst.map(({ index }) => recordOf(split, index, channels));
  if (records.length > 0) {
    await writeAtomically(join(folder, MISTAKES_FILE), [pictureStrip(records, side)]);
  }
  const text = JSON.stringify(details) + "\n";
  await writeAtomically(join(folder, DETAILS_FILE), [new TextEncoder().encode(text)]);
}

/** Null where the run was never evaluated. */
export async function readEvaluationDetails(
  folder: string,
): Promise<{ details: EvaluationDetails; mistakes: Uint8Array | null } | null> {
  const path = join(folder, DETAILS_FILE);
  const text = await readIfThere(path, Deno.readTextFile);
  if (text === null) return null;
  const result = EvaluationDetailsSchema.safeParse(parseJson(path, text));
  if (!result.success) throw new SyntaxError(`Cannot read ${path}: ${result.error.message}`);
  const mistakes = await readIfThere(join(folder, MISTAKES_FILE), Deno.readFile);
  return { details: result.data, mistakes };
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError(`Cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}

async function readIfThere<Content>(
  path: string,
  read: (path: string) => Promise<Content>,
): Promise<Content | null> {
  try {
    return await read(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** RGB, whatever the network sees. */
function recordOf({ source }: Split, index: number, channels: 1 | 3): Uint8Array {
  const record = readRecord(source, index);
  return channels === 1 ? lumaToRgb(record) : record;
}

/** Square RGB pictures in one row, as a PNG. */
export function pictureStrip(pictures: readonly Uint8Array[], side: number): Uint8Array {
  const strip = new Uint8Array(pictures.length * side * side * 3);
  pictures.forEach((picture, i) => {
    for (let row = 0; row < side; row++) {
      const line = picture.subarray(row * side * 3, (row + 1) * side * 3);
      strip.set(line, (row * pictures.length + i) * side * 3);
    }
  });
  return encodePng(strip, pictures.length * side, side);
}
