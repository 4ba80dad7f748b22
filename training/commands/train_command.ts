import { parseArgs } from "node:util";
import {
  type Config,
  CONFIG_NAMES,
  describeConfig,
  flagOf,
  isBoolean,
  makeConfig,
} from "../config.ts";
import { appendMetrics, checkpointPath, createRunFolder, type Run } from "../run_folder.ts";
import { saveCheckpoint } from "../checkpoint.ts";
import { channelStatistics, type Dataset } from "../dataset/dataset.ts";
import { openGpu } from "../gpu/device.ts";
import { Engine } from "../graph/engine.ts";
import { parameterCount } from "../graph/graph.ts";
import { initialValues } from "../graph/parameters.ts";
import { MODEL_NAMES, type ModelName, MODELS } from "../models/models.ts";
import { formatDuration, formatProgress, ProgressLine } from "../progress.ts";
import { type EpochRecord, train, type TrainingState } from "../trainer.ts";
import { VERSION } from "../version.ts";
import { openForModel } from "./open_for_model.ts";
import { runCommand } from "./command_error.ts";

function help(model: ModelName): string {
  return `Trains a model on labelled images, on the GPU through WebGPU

Usage: topfive train --model NAME --data DIR --out RUN [settings]

  --model NAME           ${MODEL_NAMES.join(", ")}
  --data DIR             an image folder (train/<class>/*.jpg …) or MNIST's four IDX files
  --out RUN              a new folder for the run: config, metrics, checkpoint
  --json                 print one JSON line an epoch on standard output

Settings (defaults of ${model}; another model's: topfive train --model NAME --help)
${describeConfig(model)}

Examples
  topfive data make images && topfive train --model alexnet-small --data images --out runs/first
  topfive train --model lenet5 --data mnist --out runs/digits --epochs 3
Ctrl-C stops after the step in hand and keeps the checkpoint of the last whole epoch.`;
}

export function trainCommand(args: string[]): Promise<number> {
  return runCommand("train", async () => {
    const { model, data, out, json, config } = readArguments(args);
    if (config === null) {
      console.log(help((model ?? "alexnet-small") as ModelName));
      return 0;
    }
    return await trainRun(config, { data: data!, out: out!, json });
  });
}

function readArguments(args: string[]) {
  const settings = CONFIG_NAMES.filter((name) => name !== "model");
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      model: { type: "string" },
      data: { type: "string" },
      out: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
      ...Object.fromEntries(settings.map((name) => [
        flagOf(name).slice(2),
        { type: isBoolean(name) ? "boolean" as const : "string" as const },
      ])),
    },
  });
  const { model, data, out, json, help: wantsHelp } = values as {
    model?: string;
    data?: string;
    out?: string;
    json: boolean;
    help?: boolean;
  };
  if (wantsHelp) {
    if (model !== undefined) makeConfig(model, {});
    return { model, data, out, json, config: null };
  }
  for (const [name, value] of Object.entries({ model, data, out })) {
    if (value === undefined) throw new SyntaxError(`Cannot train: --${name} is missing`);
  }
  const flags: Record<string, unknown> = values;
  const given = Object.fromEntries(
    settings.map((name) => [name, settingOf(flags[flagOf(name).slice(2)], name)] as const)
      .filter(([, value]) => value !== undefined),
  );
  return { model, data, out, json, config: makeConfig(model!, given) };
}

function settingOf(value: unknown, name: string): unknown {
  if (typeof value !== "string" || name === "schedule") return value;
  return value.trim() === "" ? Number.NaN : Number(value);
}

async function trainRun(
  config: Config,
  place: { data: string; out: string; json: boolean },
): Promise<number> {
  const line = new ProgressLine();
  const dataset = await openForModel(place.data, config);
  const preset = MODELS[config.model];
  const { mean, std } = channelStatistics(dataset.train, dataset.channels);
  const graph = preset.build(dataset.classes.length);
  const gpu = await openGpu();
  const run = describeRun(config, dataset, { mean, std }, gpu.description);
  await createRunFolder(place.out, run);
  line.print(
    `${config.model}: ${parameterCount(graph).toLocaleString("en")} parameters, ` +
      `${dataset.train.count.toLocaleString("en")} training images of ` +
      `${dataset.classes.length} classes, on ${gpu.description}`,
  );
  line.update("compiling kernels");
  const engine = await Engine.create(gpu, graph, {
    batch: config.batchSize,
    preprocess: { side: config.side, crop: preset.crop, channels: preset.channels, mean, std },
    momentum: config.momentum,
    decay: config.decay,
  });
  engine.loadParameters(initialValues(engine.arena, config.seed));
  const save = async (state: TrainingState) => {
    await saveCheckpoint(checkpointPath(place.out), {
      model: config.model,
      state,
      parameters: await engine.readParameters(),
      momenta: await engine.readMomenta(),
    });
  };
  const start = performance.now();
  const stop = stopSignal(line);
  const { step } = await train({
    engine,
    dataset,
    config,
    signal: stop.signal,
    onProgress: (progress) => line.update(formatProgress(progress)),
    onEpoch: async (record, state) => {
      line.print(formatEpoch(record, config));
      if (place.json) console.log(JSON.stringify(record));
      await appendMetrics(place.out, record);
      await save(state);
    },
  });
  stop.release();
  const seconds = (performance.now() - start) / 1000;
  line.print(
    `${stop.signal.aborted ? "stopped" : "trained"} ${step} steps in ${formatDuration(seconds)}; ` +
      `run: ${place.out}`,
  );
  reportBroken(dataset, line);
  engine.close();
  gpu.close();
  return stop.signal.aborted ? 130 : 0;
}

function describeRun(
  config: Config,
  dataset: Dataset,
  statistics: { mean: number[]; std: number[] },
  adapter: string,
): Run {
  return {
    codeVersion: VERSION,
    startedAt: new Date().toISOString(),
    config,
    classes: dataset.classes,
    ...statistics,
    adapter,
    data: {
      fingerprint: dataset.fingerprint,
      images: {
        train: dataset.train.count,
        validation: dataset.validation.count,
        test: dataset.test?.count ?? 0,
        broken: dataset.broken.length,
      },
    },
  };
}

/** The first Ctrl-C or SIGTERM stops after the step in hand; the second ends the process as usual. */
function stopSignal(line: ProgressLine): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const release = () => {
    Deno.removeSignalListener("SIGINT", stop);
    Deno.removeSignalListener("SIGTERM", stop);
  };
  const stop = () => {
    line.print("stopping after this step (again to stop at once)");
    controller.abort();
    release();
  };
  Deno.addSignalListener("SIGINT", stop);
  Deno.addSignalListener("SIGTERM", stop);
  return { signal: controller.signal, release };
}

function formatEpoch(record: EpochRecord, { epochs }: Config): string {
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  const { validation } = record;
  return [
    `epoch ${String(record.epoch).padStart(String(epochs).length)}/${epochs}`,
    `training loss ${record.trainingLoss.toFixed(4)}`,
    `validation loss ${validation.loss.toFixed(4)}`,
    `top-1 error ${percent(validation.top1Error)}`,
    `top-5 error ${percent(validation.top5Error)}`,
    `${Math.round(record.imagesPerSecond)} images/s`,
  ].join("  ");
}

function reportBroken({ broken }: Dataset, line: ProgressLine): void {
  if (broken.length === 0) return;
  line.print(`${broken.length} broken images were skipped:`);
  for (const { file, reason } of broken.slice(0, 10)) line.print(`  ${file}: ${reason}`);
  if (broken.length > 10) line.print(`  and ${broken.length - 10} more`);
}
