import { type Gpu, openGpu, requirePrecision } from "../gpu/device.ts";
import type { Precision } from "../gpu/precision.ts";
import { requireTimestamps } from "../gpu/profiler.ts";
import { MODEL_NAMES, type ModelName, MODELS } from "../models/models.ts";
import { ProgressLine } from "../progress.ts";
import { trainingProblems } from "../tuner/load_tiles.ts";
import { MOST_CANDIDATES, type TunedProblem, tuneProblem } from "../tuner/tune.ts";
import { tunedTiles } from "../tuner/tuned_tiles.ts";
import { addTuning, readTuning, type TuningEntries, tuningPath } from "../tuner/tuning_cache.ts";
import { parsePrecision, readArguments } from "./arguments.ts";
import { runCommand } from "./command.ts";
import { stopSignal } from "./stop_signal.ts";

const DEFAULT_MODEL: ModelName = "alexnet-small";
/** As of a shell: 128 and the number of SIGINT. */
const EXIT_STOPPED = 130;

const HELP = `Measures which tiles of the kernels are fastest on this adapter, for one network

Usage: topfive tune [MODEL] [--batch N] [--classes N] [--candidates N]
                    [--precision f32|f16] [--again] [--json]

  MODEL            ${MODEL_NAMES.join(", ")} (default: ${DEFAULT_MODEL})
  --batch N        images a step, as in training (default: the model's)
  --classes N      outputs of the last layer (default: the model's)
  --candidates N   tiles to try of each product, 2 to ${MOST_CANDIDATES} (default: ${MOST_CANDIDATES})
  --precision P    f32 or f16: what tensors are stored as (default: f32)
  --again          also what was measured before
  --json           print JSON

Every candidate is checked against the default's result before it is timed. What is found is kept in
$XDG_CACHE_HOME/topfive/tuning.json (default: ~/.cache) and used by train and evaluate on the same
adapter with the same batch. Without it training is correct, and the cost model's tiles are near.

Example
  topfive tune alexnet --batch 128`;

interface Given {
  readonly model: ModelName;
  readonly batch: number;
  readonly classes: number;
  readonly candidates: number;
  readonly precision: Precision;
  readonly again: boolean;
  readonly json: boolean;
}

export function tuneCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "tune", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const known = {
    batch: "value",
    classes: "value",
    candidates: "value",
    precision: "value",
    again: "switch",
    json: "switch",
  } as const;
  const { options, positionals } = readArguments("tune", args, known);
  const [name = DEFAULT_MODEL, ...others] = positionals;
  const model = MODEL_NAMES.find((known) => known === name);
  if (model === undefined || others.length > 0) {
    throw new SyntaxError(`Cannot tune: expected one model (${MODEL_NAMES.join(", ")})`);
  }
  const { batch, classes, candidates, precision, again = false, json = false } = options;
  return {
    model,
    batch: count("batch", batch, MODELS[model].defaults.batchSize, 1),
    classes: count("classes", classes, MODELS[model].classes, 2),
    candidates: count("candidates", candidates, MOST_CANDIDATES, 2, MOST_CANDIDATES),
    precision: parsePrecision("tune", precision),
    again,
    json,
  };
}

function count(
  name: string,
  text: string | undefined,
  fallback: number,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number {
  const value = text === undefined ? fallback : Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER
    ? `, at least ${least}`
    : ` from ${least} to ${most}`;
  throw new SyntaxError(`Cannot tune: --${name} is ${text} (expected a whole number${range})`);
}

async function run(given: Given): Promise<number> {
  const gpu = await openGpu();
  try {
    requireTimestamps(gpu.device);
    return await tune(gpu, given);
  } finally {
    gpu.close();
  }
}

async function tune(gpu: Gpu, given: Given): Promise<number> {
  const { model, batch, classes, candidates, precision, again, json } = given;
  requirePrecision(gpu, precision);
  const path = tuningPath();
  const line = new ProgressLine();
  const problems = trainingProblems({ ...gpu, precision }, MODELS[model].build(classes), batch);
  const measured = again ? new Map() : tunedTiles(problems, await measuredBefore(path, gpu));
  const left = problems.filter(({ key }) => !measured.has(key));
  line.print(`${model}, batch ${batch}, on ${gpu.description}: ${left.length} products to tune`);
  using stop = stopSignal(() => line.print("stopping after this product (again to stop at once)"));
  const tuned: TunedProblem[] = [];
  for (const [index, problem] of left.entries()) {
    if (stop.signal.aborted) break;
    line.update(`${index + 1}/${left.length}  ${problem.key}`);
    const result = await tuneProblem(gpu, problem, candidates);
    await addTuning(path, gpu.description, { [problem.key]: result.entry });
    tuned.push(result);
    if (!json) line.print(describe(result));
    for (const { tile, reason } of result.refused) {
      line.print(`warning: ${problem.key}: tile ${tile} is refused, ${reason}`);
    }
  }
  line.end();
  console.log(json ? JSON.stringify(report(gpu, given, tuned), null, 2) : summary(tuned, path));
  return stop.signal.aborted ? EXIT_STOPPED : 0;
}

/** A damaged file is as good as none: its place is taken. */
async function measuredBefore(path: string, gpu: Gpu): Promise<TuningEntries> {
  try {
    return await readTuning(path, gpu.description);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    console.error(`warning: ${error.message}; it is written anew`);
    return {};
  }
}

function describe({ problem, choice, checked }: TunedProblem): string {
  const { tile, milliseconds, defaultMilliseconds } = choice;
  const usual = problem.candidates[0]!;
  const times = tile === usual
    ? `${milliseconds.toFixed(3)} ms, the default`
    : `${milliseconds.toFixed(3)} ms, default ${usual} ${defaultMilliseconds.toFixed(3)} ms`;
  return `${problem.key}: ${tile} (${times}; ${checked} checked)`;
}

function summary(tuned: readonly TunedProblem[], path: string): string {
  if (tuned.length === 0) return "Nothing to tune: all was measured before (--again measures anew)";
  const sum = (time: (own: TunedProblem) => number) =>
    tuned.reduce((sum, own) => sum + time(own), 0);
  const [usual, best] = [
    sum(({ choice }) => choice.defaultMilliseconds),
    sum(({ choice }) => choice.milliseconds),
  ];
  const other = tuned.filter(({ problem, choice }) => choice.tile !== problem.candidates[0]).length;
  return `${tuned.length} products: ${usual.toFixed(2)} ms with the defaults, ${
    best.toFixed(2)
  } ms ` +
    `tuned (${(usual / best).toFixed(2)} x), ${other} with another tile; kept in ${path}`;
}

function report(gpu: Gpu, { model, batch }: Given, tuned: readonly TunedProblem[]) {
  return {
    model,
    batch,
    adapter: gpu.description,
    problems: tuned.map(({ problem, choice, checked, refused }) => ({
      key: problem.key,
      ...choice,
      defaultTile: problem.candidates[0],
      checked,
      refused,
    })),
  };
}
