// topfive bench ablations: what each part of AlexNet is worth, as its paper measured it.
import { join } from "@std/path";
import { TextLineStream } from "@std/streams/text-line-stream";
import { readArguments } from "../../training/commands/arguments.ts";
import { openGpu } from "../../training/gpu/device.ts";
import type { EpochRecord } from "../../training/trainer/training_observer.ts";
import { DENO_FLAGS, ROOT } from "./deno_program.ts";
import { describeMachine, formatMachine } from "./machine.ts";
import { digits, formatTable } from "./table.ts";

const HELP = `What each part of AlexNet is worth: trains without it, for the same number of steps

Usage: topfive bench ablations --data DIR [options]

alexnet-small is trained on DIR as it is, and with one part left out or exchanged at a time. Then
cifar10-quick without any regularisation, with ReLU and with tanh, each at several learning rates:
the fewest steps to 25 % training error count, as in figure 1 of AlexNet's paper. A race ends there.

  --data DIR      labelled images: CIFAR-10 for figures beside the paper's
  --epochs N      of each training (default 20; --quick: 2)
  --race-epochs N of each race at most (default 60; --quick: 2)
  --only NAME     only rows whose name contains NAME
  --quick         few epochs: that all of it runs, not what it is worth
  --json          one JSON document in place of the tables

Example
  topfive bench ablations --data cifar10 --epochs 30`;

interface Ablation {
  readonly name: string;
  readonly flags: readonly string[];
  /** Points of top-1 error on ImageNet that the authors' nets lost without the part. */
  readonly published?: string;
}

const ABLATIONS: readonly Ablation[] = [
  { name: "as published", flags: [] },
  { name: "no LRN", flags: ["--no-lrn"], published: "1.4" },
  { name: "no overlap", flags: ["--no-overlap"], published: "0.4" },
  { name: "no cross-tower links", flags: ["--no-cross-tower"], published: "1.2" },
  { name: "tanh", flags: ["--activation", "tanh"] },
  { name: "no dropout", flags: ["--no-dropout"] },
  // The preset has none: the row is what it adds.
  { name: "colour noise 0.1", flags: ["--color-noise", "0.1"], published: "-1 and more" },
];

/** Of cifar10-quick, published 0.001: the paper chose each activation's rate by itself. */
const RATES: readonly number[] = [0.0005, 0.001, 0.002];
const TARGET = 0.25;

export interface Options {
  readonly data: string;
  readonly epochs: number;
  readonly raceEpochs: number;
  readonly only: string;
  readonly json: boolean;
}

/** @throws {SyntaxError} on an unknown option, a folder missing or epochs that are none. */
export function readOptions(args: readonly string[]): Options {
  const known = {
    data: "value",
    epochs: "value",
    "race-epochs": "value",
    only: "value",
    quick: "switch",
    json: "switch",
  } as const;
  const { options, positionals } = readArguments("run bench ablations", args, known);
  const refuse = (reason: string) => new SyntaxError(`Cannot run bench ablations: ${reason}`);
  if (positionals.length > 0) throw refuse(`${positionals[0]} belongs to no option`);
  if (options.data === undefined) throw refuse("--data is missing");
  const epochsOf = (name: "epochs" | "race-epochs", usual: number) => {
    const epochs = Number(options[name] ?? (options.quick ? 2 : usual));
    if (Number.isInteger(epochs) && epochs >= 1) return epochs;
    throw refuse(`--${name} is ${options[name]} (expected a whole number, at least 1)`);
  };
  return {
    data: options.data,
    epochs: epochsOf("epochs", 20),
    raceEpochs: epochsOf("race-epochs", 60),
    only: options.only ?? "",
    json: options.json ?? false,
  };
}

type EpochResult = Pick<EpochRecord, "step" | "trainingLoss" | "trainingError"> & {
  readonly validation: { readonly top1Error: number; readonly images: number };
};

/** Steps to a training error, between two epochs in a straight line; undefined where never. */
export function stepsTo(error: number, records: readonly EpochResult[]): number | undefined {
  const at = records.findIndex(({ trainingError }) => trainingError <= error);
  if (at < 0) return undefined;
  const here = records[at]!;
  const before = records[at - 1];
  if (!before) return here.step;
  const share = (before.trainingError - error) / (before.trainingError - here.trainingError);
  return Math.round(before.step + share * (here.step - before.step));
}

/** Trains as the command line does and gives its records, an epoch each; ended early by `isDone`. */
async function train(
  folder: string,
  name: string,
  flags: readonly string[],
  isDone: (record: EpochResult) => boolean = () => false,
): Promise<EpochResult[]> {
  console.error(`${name}: ${flags.join(" ")}`);
  const out = join(folder, name.replaceAll(/[^a-z0-9]+/gi, "-"));
  const program = join(ROOT, "training", "main.ts");
  await using training = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", ...DENO_FLAGS, "--allow-all", "--quiet", program],
      ...["train", "--json", "--out", out, ...flags],
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = training.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  const records: EpochResult[] = [];
  for await (const line of lines) {
    const record: EpochResult = JSON.parse(line);
    records.push(record);
    if (isDone(record)) return records;
  }
  if (!(await training.status).success) throw new Error(`Cannot go on: training ${name} failed`);
  return records;
}

async function ablations(folder: string, { data, epochs, only }: Options) {
  const results = [];
  for (const ablation of ABLATIONS.filter(({ name }) => name.includes(only))) {
    const common = ["--model", "alexnet-small", "--data", data, "--epochs", `${epochs}`];
    const records = await train(folder, ablation.name, [...common, ...ablation.flags]);
    results.push({ ...ablation, records });
  }
  return results;
}

async function races(folder: string, { data, raceEpochs, only }: Options) {
  const results = [];
  for (const activation of ["relu", "tanh"].filter((name) => `race ${name}`.includes(only))) {
    for (const rate of RATES) {
      const records = await train(folder, `race ${activation} ${rate}`, [
        ...["--model", "cifar10-quick", "--data", data, "--epochs", `${raceEpochs}`],
        ...["--activation", activation, "--learning-rate", `${rate}`],
        ...["--schedule", "constant", "--decay", "0"],
      ], ({ trainingError }) => trainingError <= TARGET);
      results.push({ activation, rate, records, steps: stepsTo(TARGET, records) });
    }
  }
  return results;
}

type Ablated = Awaited<ReturnType<typeof ablations>>;
type Raced = Awaited<ReturnType<typeof races>>;

export function ablationRows(results: Ablated): string[][] {
  const points = (share: number) => (100 * share).toFixed(1);
  const base = results.find(({ flags }) => flags.length === 0)?.records.at(-1);
  return results.map(({ name, records, published = "" }) => {
    const { step, trainingLoss, trainingError, validation } = records.at(-1)!;
    const change = base ? validation.top1Error - base.validation.top1Error : undefined;
    return [
      ...[name, String(step), trainingLoss.toFixed(3), points(trainingError)],
      ...[points(validation.top1Error), change === undefined ? "" : points(change), published],
    ];
  });
}

export function raceRows(results: Raced): string[][] {
  const best = (activation: string) =>
    Math.min(
      ...results.filter((each) => each.activation === activation).map(({ steps }) =>
        steps ?? Infinity
      ),
    );
  const relu = best("relu");
  return results.map(({ activation, rate, records, steps }) => [
    ...[activation, String(rate), (100 * records.at(-1)!.trainingError).toFixed(1)],
    steps === undefined ? "not reached" : String(steps),
    steps === undefined || relu === Infinity ? "" : `${digits(steps / relu)} x`,
  ]);
}

async function run(options: Options): Promise<void> {
  const gpu = await openGpu();
  const machine = await describeMachine(gpu.description);
  gpu.close();
  const folder = await Deno.makeTempDir({ prefix: "topfive-ablations-" });
  try {
    const results = await ablations(folder, options);
    const raced = await races(folder, options);
    if (options.json) {
      console.log(JSON.stringify({ machine, options, ablations: results, races: raced }, null, 2));
      return;
    }
    const images = results[0]?.records[0]?.validation.images;
    const error = Math.sqrt(0.25 / (images ?? 1)) * 100;
    console.log(formatTable({
      head: formatMachine(machine),
      columns: ["part", "steps", "loss", "training %", "validation %", "change", "paper's"],
      rows: ablationRows(results),
      notes: [
        `one run each; an error on ${images} images is good to ${error.toFixed(1)} points or so`,
        "paper's: what the authors' nets lost in top-1 points on ImageNet",
      ],
    }));
    console.log(
      "\n" + formatTable({
        head: ["steps of cifar10-quick to 25 % training error (the paper: tanh needs 6 x)"],
        columns: ["activation", "rate", "training %", "steps", "beside best ReLU"],
        rows: raceRows(raced),
        notes: [],
      }),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  if (Deno.args.some((word) => word === "--help" || word === "-h")) {
    console.log(HELP);
  } else {
    try {
      await run(readOptions(Deno.args));
    } catch (error) {
      console.error((error as Error).message);
      Deno.exit(error instanceof SyntaxError ? 2 : 1);
    }
  }
}
