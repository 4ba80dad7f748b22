/**
 * A run's checkpoints: files in `checkpoints/`, and `checkpoints.json`, which names those that count
 * and is written after them.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import type { TrainingState } from "../training_state.ts";
import { writeAtomically } from "../write_atomically.ts";

const IndexSchema = z.strictObject({
  /** Steps of the checkpoints that are kept, rising. */
  steps: z.array(z.int().nonnegative()),
  /** Step of the one with the least validation error. */
  best: z.int().nonnegative().nullable(),
});
type Index = z.infer<typeof IndexSchema>;

/** "best", "latest", "previous" (the one before the latest) or a file. */
export type CheckpointName = string;

const FOLDER = "checkpoints";
const INDEX = "checkpoints.json";

export function checkpointPath(run: string, step: number): string {
  return join(run, FOLDER, `step-${String(step).padStart(8, "0")}`);
}

/**
 * The file of a run's checkpoint; null where the run has none yet. The best is the latest where no
 * epoch was measured.
 *
 * @throws {Error} where there is no previous one.
 * @throws {SyntaxError} where the index is damaged.
 */
export async function findCheckpoint(run: string, name: CheckpointName): Promise<string | null> {
  if (!["best", "latest", "previous"].includes(name)) return name;
  const { steps, best } = await readIndex(run);
  const latest = steps.at(-1);
  if (latest === undefined) return null;
  const step = name === "previous" ? steps.at(-2) : name === "best" ? best ?? latest : latest;
  if (step !== undefined) return checkpointPath(run, step);
  throw new Error(`Cannot use the previous checkpoint of ${run}: it has one alone`);
}

/** Makes the folder that checkpoints are written into. */
export async function makeCheckpointFolder(run: string): Promise<void> {
  await Deno.mkdir(join(run, FOLDER), { recursive: true });
}

/**
 * Counts a checkpoint that is written in full, and removes all but the best and the last `keep`.
 * Those of later steps do not count: the run was begun again from before them.
 */
export async function addCheckpoint(
  run: string,
  { step, best }: Pick<TrainingState, "step" | "best">,
  keep: number,
): Promise<void> {
  const { steps } = await readIndex(run);
  const known = [...steps.filter((other) => other < step), step];
  const bestStep = best && known.includes(best.step) ? best.step : null;
  const kept = known.filter((own, i) => i >= known.length - keep || own === bestStep);
  await writeIndex(run, { steps: kept, best: bestStep });
  const names = new Set(kept.map((own) => checkpointPath(run, own)));
  for await (const { name } of Deno.readDir(join(run, FOLDER))) {
    const path = join(run, FOLDER, name);
    if (!names.has(path)) await Deno.remove(path);
  }
}

async function readIndex(run: string): Promise<Index> {
  const path = join(run, INDEX);
  let value: unknown;
  try {
    value = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { steps: [], best: null };
    throw new SyntaxError(`Cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
  const result = IndexSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new SyntaxError(`Cannot read ${path}: ${issue!.path.join(".")}: ${issue!.message}`);
}

async function writeIndex(run: string, index: Index): Promise<void> {
  const text = JSON.stringify(index, null, 2) + "\n";
  await writeAtomically(join(run, INDEX), [new TextEncoder().encode(text)]);
}
