import {
  type Config,
  describeConfig,
  type GivenSettings,
  makeConfig,
  parseModelName,
} from "../config.ts";
import { MODEL_NAMES } from "../models/models.ts";
import type { OldTraining } from "../resumption.ts";
import { FLAG_NAMES, isSwitch, optionOf, SETTING_NAMES } from "../settings.ts";
import type { CheckpointPolicy } from "../trainer/checkpoint_clock.ts";
import { type OptionKind, readArguments } from "./arguments.ts";
import { readConfigFile } from "./config_file.ts";

const OPTIONS = {
  model: "value",
  config: "value",
  "no-color-noise": "switch",
  data: "value",
  out: "value",
  resume: "value",
  from: "value",
  keep: "value",
  "checkpoint-every": "value",
  "checkpoint-minutes": "value",
  profile: "switch",
  json: "switch",
} as const;
const SETTINGS: Record<string, OptionKind> = Object.fromEntries(
  FLAG_NAMES.map((name) => [optionOf(name), isSwitch(name) ? "on-off" : "value"]),
);
const KEEP = 2;

/** A training to begin. */
export interface NewTraining {
  readonly config: Config;
  readonly data: string;
}

export interface TrainGiven {
  /** The run's folder. */
  readonly out: string;
  readonly training: NewTraining | OldTraining;
  readonly checkpoints: CheckpointPolicy;
  /** Latest checkpoints to keep. */
  readonly keep: number;
  readonly profile: boolean;
  readonly json: boolean;
}

/** The settings are those of the model that is named before or after --help. */
export function trainHelp(args: readonly string[]): string {
  const known = { ...OPTIONS, ...SETTINGS, help: "switch" } as const;
  const longHelp = args.map((word) => word === "-h" ? "--help" : word);
  const { options } = readArguments("train", longHelp, known);
  const model = parseModelName(options.model ?? "alexnet-small");
  return `Trains a model on labelled images, on the GPU through WebGPU

Usage: topfive train --model NAME --data DIR --out RUN [settings]
       topfive train --resume RUN [--from CHECKPOINT] [--epochs N]

  --model NAME           ${MODEL_NAMES.join(", ")}
  --config FILE          settings as JSON, by the names that RUN/run.json has them under, or such a
                         run.json itself; what is also given here counts
  --data DIR             an image folder (train/<class>/*.jpg …) or MNIST's four IDX files
  --out RUN              a new folder for the run: config, metrics, checkpoint
  --resume RUN           go on with a run where its latest checkpoint stands, to the bit as if it had
                         never stopped; its settings count, --epochs may add to it
  --from CHECKPOINT      of the resumed run: latest (default), previous, best, or a file
  --checkpoint-every N   also keep a checkpoint every N steps, not only after each epoch
  --checkpoint-minutes N also keep one when the last is N minutes old
  --keep N               latest checkpoints to keep, beside the best (${KEEP})
  --no-color-noise       as --color-noise 0
  --profile              time a few steps layer by layer: a table, and RUN/trace.json for
                         chrome://tracing or Perfetto; the trained weights are the same
  --json                 print one JSON line an epoch on standard output, and the profile as one

A config file alone sets rate, momentum and decay of single layers:
  {"layers": {"fc8": {"weight": {"decayMultiplier": 2}, "bias": {"constantRate": 0.002}}}}

Settings (defaults of ${model}; another model's: topfive train --model NAME --help)
${describeConfig(model)}

Examples
  topfive data make images && topfive train --model alexnet-small --data images --out runs/first
  topfive train --model lenet5 --data mnist --out runs/digits --epochs 3
  topfive train --config runs/digits/run.json --data mnist --out runs/longer --epochs 6
  topfive train --resume runs/digits
Ctrl-C and SIGTERM stop after the step in hand, keep a checkpoint there and say how to go on.`;
}

export function readTrainArguments(args: readonly string[]): TrainGiven {
  const { options, positionals } = readArguments("train", args, { ...OPTIONS, ...SETTINGS });
  if (positionals.length > 0) throw refusal(`${positionals[0]} belongs to no option`);
  const { data, out, resume, from, profile = false, json = false } = options;
  const flags: Readonly<Record<string, string | boolean | undefined>> = options;
  const common = {
    checkpoints: {
      everySteps: countOf("checkpoint-every", options["checkpoint-every"], 1),
      everyMinutes: countOf("checkpoint-minutes", options["checkpoint-minutes"], 0),
    },
    keep: countOf("keep", options.keep, 1) ?? KEEP,
    profile,
    json,
  };
  if (resume !== undefined) {
    for (const name of ["model", "config", "out"] as const) {
      if (options[name] !== undefined) throw refusal(`--${name} does not go with --resume`);
    }
    const settings = settingsOf(flags, {});
    return { ...common, out: resume, training: { from: from ?? "latest", settings, data } };
  }
  if (from !== undefined) throw refusal("--from goes with --resume alone");
  const file = options.config === undefined ? {} : readConfigFile(options.config);
  const model = options.model ?? file.model;
  const missing = Object.entries({ model, data, out }).find(([, value]) => value === undefined);
  if (missing) throw refusal(`--${missing[0]} is missing`);
  const config = makeConfig(String(model), settingsOf(flags, file));
  return { ...common, out: out!, training: { config, data: data! } };
}

function settingsOf(
  flags: Readonly<Record<string, string | boolean | undefined>>,
  file: Readonly<Record<string, unknown>>,
): GivenSettings {
  const given = Object.fromEntries(
    SETTING_NAMES.map((name) => [name, flags[optionOf(name)] ?? file[name]]),
  );
  return flags["no-color-noise"] ? { ...given, colorNoise: 0 } : given;
}

function countOf(name: string, text: string | undefined, least: 0 | 1): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  const isRight = least === 0 ? value > 0 : Number.isInteger(value) && value >= least;
  if (text.trim() !== "" && isRight) return value;
  const expected = least === 0 ? "a number above 0" : `a whole number, at least ${least}`;
  throw refusal(`--${name} is ${text} (expected ${expected})`);
}

function refusal(reason: string): SyntaxError {
  return new SyntaxError(`Cannot train: ${reason}`);
}
