import { saveCheckpoint } from "../checkpoint.ts";
import { type Config, describeConfig, makeConfig, parseModelName, partSizeOf } from "../config.ts";
import type { Dataset } from "../dataset/dataset.ts";
import { trainingStatistics } from "../dataset/statistics.ts";
import { type Gpu, openGpu } from "../gpu/device.ts";
import { requireTimestamps } from "../gpu/profiler.ts";
import { Engine } from "../graph/engine.ts";
import { parameterCount } from "../graph/graph.ts";
import { initialValues } from "../graph/parameters.ts";
import { MODEL_NAMES, MODELS } from "../models/models.ts";
import { meanCropHash, normalize, saveMeanCrop } from "../normalization.ts";
import { measurePeak } from "../profile/peak.ts";
import { StepProfiler } from "../profile/step_profiler.ts";
import { formatDuration, formatProgress, ProgressLine } from "../progress.ts";
import {
  appendMetrics,
  checkpointPath,
  createRunFolder,
  requireNoRun,
  type Run,
} from "../run_folder.ts";
import { FLAG_NAMES, isSwitch, optionOf, SETTING_NAMES } from "../settings.ts";
import { train } from "../trainer.ts";
import { loadTiles } from "../tuner/load_tiles.ts";
import { VERSION } from "../version.ts";
import { type OptionKind, readArguments } from "./arguments.ts";
import { runCommand } from "./command.ts";
import { readConfigFile } from "./config_file.ts";
import { openForModel } from "./open_for_model.ts";
import { reportProfile } from "./report_profile.ts";
import { stopSignal } from "./stop_signal.ts";
import { formatBroken, formatEpoch } from "./train_report.ts";

const OPTIONS = {
  model: "value",
  config: "value",
  "no-color-noise": "switch",
  data: "value",
  out: "value",
  profile: "switch",
  json: "switch",
} as const;
const SETTINGS: Record<string, OptionKind> = Object.fromEntries(
  FLAG_NAMES.map((name) => [optionOf(name), isSwitch(name) ? "on-off" : "value"]),
);
/** As of a shell: 128 and the number of SIGINT. */
const EXIT_STOPPED = 130;

interface Given {
  readonly config: Config;
  readonly data: string;
  readonly out: string;
  readonly profile: boolean;
  readonly json: boolean;
}

export function trainCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "train", help, read, run: trainRun }, args);
}

/** The settings are those of the model that is named before or after --help. */
function help(args: readonly string[]): string {
  const known = { ...OPTIONS, ...SETTINGS, help: "switch" } as const;
  const longHelp = args.map((word) => word === "-h" ? "--help" : word);
  const { options } = readArguments("train", longHelp, known);
  const model = parseModelName(options.model ?? "alexnet-small");
  return `Trains a model on labelled images, on the GPU through WebGPU

Usage: topfive train --model NAME --data DIR --out RUN [settings]

  --model NAME           ${MODEL_NAMES.join(", ")}
  --config FILE          settings as JSON, by the names that RUN/run.json has them under, or such a
                         run.json itself; what is also given here counts
  --data DIR             an image folder (train/<class>/*.jpg …) or MNIST's four IDX files
  --out RUN              a new folder for the run: config, metrics, checkpoint
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
Ctrl-C stops after the step in hand and keeps the checkpoint of the last whole epoch.`;
}

function read(args: readonly string[]): Given {
  const { options, positionals } = readArguments("train", args, { ...OPTIONS, ...SETTINGS });
  if (positionals.length > 0) {
    throw new SyntaxError(`Cannot train: ${positionals[0]} belongs to no option`);
  }
  const { data, out, profile = false, json = false } = options;
  const file = options.config === undefined ? {} : readConfigFile(options.config);
  const model = options.model ?? file.model;
  const missing = Object.entries({ model, data, out }).find(([, value]) => value === undefined);
  if (missing) throw new SyntaxError(`Cannot train: --${missing[0]} is missing`);
  const flags: Readonly<Record<string, string | boolean | undefined>> = options;
  const given = Object.fromEntries(
    SETTING_NAMES.map((name) => [name, flags[optionOf(name)] ?? file[name]]),
  );
  if (options["no-color-noise"]) given.colorNoise = 0;
  return { config: makeConfig(String(model), given), data: data!, out: out!, profile, json };
}

async function trainRun({ config, data, out, profile, json }: Given): Promise<number> {
  // Found before the minutes that reading a large set may take.
  await requireNoRun(out);
  const dataset = await openForModel(data, config);
  requireWholeBatch(dataset, config);
  const statistics = trainingStatistics(dataset);
  const { build, crop, channels } = MODELS[config.model];
  const { meanCrop, mean, std } = normalize(statistics, config, crop);
  const graph = build(dataset.classes.length, config);
  const line = new ProgressLine();
  const gpu = await openGpu();
  try {
    if (profile) requireTimestamps(gpu.device);
    line.print(
      `${config.model}: ${parameterCount(graph).toLocaleString("en")} parameters, ` +
        `${dataset.train.count.toLocaleString("en")} training images of ` +
        `${dataset.classes.length} classes, on ${gpu.description}`,
    );
    line.update("compiling kernels");
    const tiles = await loadTiles(gpu, graph, partSizeOf(config));
    if (tiles.size > 0) line.print(`${tiles.size} measured tiles (topfive tune)`);
    const engine = await Engine.create(gpu, graph, {
      batch: config.batchSize,
      partSize: partSizeOf(config),
      preprocess: { side: config.side, crop, channels, mean, std },
      meanCrop,
      momentum: config.momentum,
      decay: config.decay,
      layers: config.layers,
      tiles,
    });
    engine.loadParameters(initialValues(engine.arena, config.seed));
    await createRunFolder(out, {
      ...describeRun(config, dataset, gpu, engine),
      mean,
      std,
      ...(meanCrop ? { meanCrop: meanCropHash(meanCrop) } : {}),
      ...(config.colorNoise > 0 ? { colorComponents: statistics.eigen } : {}),
    });
    if (meanCrop) await saveMeanCrop(out, meanCrop);
    const profiler = profile ? new StepProfiler(engine) : null;
    const peak = profile ? await measurePeak(gpu) : null;
    const start = performance.now();
    using stop = stopSignal(() => line.print("stopping after this step (again to stop at once)"));
    const { step } = await train({
      engine,
      dataset,
      config,
      colorComponents: statistics.eigen,
      signal: stop.signal,
      ...(profiler ? { makeStep: profiler.step.bind(profiler) } : {}),
      observers: [{
        onProgress: (progress) => line.update(formatProgress(progress)),
        onEpoch: async (record) => {
          line.print(formatEpoch(record, config));
          if (json) console.log(JSON.stringify(record));
          await appendMetrics(out, record);
        },
      }],
      onCheckpoint: async (state) => {
        await saveCheckpoint(checkpointPath(out), {
          model: config.model,
          state,
          parameters: await engine.readParameters(),
          momenta: await engine.readMomenta(),
        });
      },
    });
    const ended = stop.signal.aborted ? "stopped" : "trained";
    const seconds = (performance.now() - start) / 1000;
    line.print(`${ended}: ${step} steps in ${formatDuration(seconds)}; run: ${out}`);
    if (profiler && peak) await reportProfile(profiler, peak, { out, config, json });
    engine.close();
    return stop.signal.aborted ? EXIT_STOPPED : 0;
  } finally {
    line.end();
    for (const text of formatBroken(dataset.broken)) line.print(text);
    gpu.close();
  }
}

function requireWholeBatch({ train: { count } }: Dataset, { batchSize }: Config): void {
  if (batchSize <= count) return;
  throw new RangeError(
    `Cannot train: --batch-size is ${batchSize} and there are ${count} training images ` +
      `(expected a batch size from 1 to ${count})`,
  );
}

function describeRun(
  config: Config,
  dataset: Dataset,
  gpu: Gpu,
  engine: Engine,
): Omit<Run, "mean" | "std"> {
  const { classes, fingerprint, train, validation, test, broken } = dataset;
  const images = {
    train: train.count,
    validation: validation.count,
    test: test?.count ?? 0,
    broken: broken.length,
  };
  return {
    codeVersion: VERSION,
    startedAt: new Date().toISOString(),
    config,
    classes,
    adapter: gpu.description,
    tiles: Object.fromEntries(engine.tiles),
    data: { fingerprint, images },
  };
}
