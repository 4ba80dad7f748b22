/**
 * A run's folder: `run.json` (what was trained, how, on what), `metrics.jsonl` (a line an epoch) and
 * `checkpoint` (the weights and momenta, and where training stood).
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { ConfigSchema } from "./config.ts";
import type { EpochRecord } from "./trainer.ts";
import { writeAtomically } from "./write_atomically.ts";

const RunSchema = z.strictObject({
  codeVersion: z.string(),
  startedAt: z.iso.datetime(),
  config: ConfigSchema,
  classes: z.array(z.string()).min(2),
  /** Per channel, in the units of pixels. */
  mean: z.array(z.number()),
  std: z.array(z.number()),
  adapter: z.string(),
  data: z.strictObject({
    fingerprint: z.string(),
    images: z.strictObject({
      train: z.int(),
      validation: z.int(),
      test: z.int(),
      broken: z.int(),
    }),
  }),
});

export type Run = z.infer<typeof RunSchema>;

const RUN_FILE = "run.json";
const METRICS_FILE = "metrics.jsonl";

/** The path of a run's checkpoint. */
export function checkpointPath(folder: string): string {
  return join(folder, "checkpoint");
}

/**
 * Makes the folder and writes `run.json`.
 *
 * @throws {Error} where the folder already holds a run.
 */
export async function createRunFolder(folder: string, run: Run): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const path = join(folder, RUN_FILE);
  const exists = await Deno.stat(path).then(() => true, () => false);
  if (exists) {
    throw new Error(`Cannot train into ${folder}: it holds a run (name another with --out)`);
  }
  await writeAtomically(path, [new TextEncoder().encode(JSON.stringify(run, null, 2) + "\n")]);
}

/** @throws {Error} where the folder holds no run or its `run.json` is damaged. */
export async function readRun(folder: string): Promise<Run> {
  let text: string;
  try {
    text = await Deno.readTextFile(join(folder, RUN_FILE));
  } catch (error) {
    throw new Error(
      `Cannot read run ${folder}: no ${RUN_FILE} in it (train one: ./topfive train --out ${folder})`,
      { cause: error },
    );
  }
  const result = RunSchema.safeParse(JSON.parse(text));
  if (!result.success) {
    throw new SyntaxError(`Cannot read run ${folder}: ${z.prettifyError(result.error)}`);
  }
  return result.data;
}

export async function appendMetrics(folder: string, record: EpochRecord): Promise<void> {
  const line = JSON.stringify(record) + "\n";
  await Deno.writeTextFile(join(folder, METRICS_FILE), line, { append: true });
}
