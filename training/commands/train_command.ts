import { join } from "node:path";
import { CheckpointKeeper } from "../checkpoint/checkpoint_keeper.ts";
import { type Config, partSizeOf } from "../config.ts";
import type { Dataset } from "../dataset/dataset.ts";
import { type Statistics, trainingStatistics } from "../dataset/statistics.ts";
import { type Gpu, openGpu } from "../gpu/device.ts";
import { requireTimestamps } from "../gpu/profiler.ts";
import { Engine } from "../graph/engine.ts";
import { type Graph, parameterCount } from "../graph/graph.ts";
import { initialValues } from "../graph/parameters.ts";
import type { TileTable } from "../kernels/tile.ts";
import { MODELS } from "../models/models.ts";
import { meanCropHash, type Normalization, normalize, saveMeanCrop } from "../normalization.ts";
import { measurePeak } from "../profile/peak.ts";
import { StepProfiler } from "../profile/step_profiler.ts";
import { formatDuration, formatProgress, ProgressLine } from "../progress.ts";
import {
  createRunFolder,
  keepMetricsUntil,
  requireNoRun,
  type Run,
  writeRun,
} from "../run_folder.ts";
import { lockRun } from "../run_lock.ts";
import { train, type TrainerOptions } from "../trainer.ts";
import { START, type TrainingState } from "../training_state.ts";
import { loadTiles } from "../tuner/load_tiles.ts";
import { VERSION } from "../version.ts";
import { runCommand } from "./command.ts";
import { runMetrics } from "../metrics/run_metrics.ts";
import { writeReport } from "../report/report.ts";
import { openForModel } from "./open_for_model.ts";
import { reportProfile } from "./report_profile.ts";
import {
  openOldTraining,
  requireSameData,
  type Resumption,
  resumptionNotes,
} from "./resumption.ts";
import { stopSignal } from "./stop_signal.ts";
import { formatBroken, formatCheckpoints, formatEpoch } from "./train_report.ts";
import {
  describeMemory,
  explainNonFinite,
  explainStop,
  isNonFinite,
  withMemory,
} from "./train_failure.ts";
import { readTrainArguments, type TrainGiven, trainHelp } from "./train_options.ts";

export function trainCommand(args: readonly string[]): Promise<number> {
  return runCommand(
    { name: "train", help: trainHelp, read: readTrainArguments, run: trainRun },
    args,
  );
}

async function trainRun(given: TrainGiven): Promise<number> {
  const { out, training } = given;
  if ("config" in training) {
    // Found before the minutes that reading a large set may take.
    await requireNoRun(out);
    return await trainOn(given, training.data, training.config, null);
  }
  using _lock = await lockRun(out);
  const old = await openOldTraining(out, training);
  return await trainOn(given, old.data, old.config, old);
}

async function trainOn(
  given: TrainGiven,
  data: string,
  config: Config,
  old: Resumption | null,
): Promise<number> {
  const { out, profile, json } = given;
  const dataset = await openForModel(data, config);
  requireWholeBatch(dataset, config);
  if (old) requireSameData(out, old.run, dataset, data);
  const line = new ProgressLine();
  const gpu = await openGpu();
  try {
    if (profile) requireTimestamps(gpu.device);
    const statistics = trainingStatistics(dataset);
    const normalization = normalize(statistics, config, MODELS[config.model].crop);
    const parts = { gpu, config, dataset, data, statistics, normalization, old };
    const graph = MODELS[config.model].build(dataset.classes.length, config);
    const memory = () =>
      describeMemory(graph, { ...gpu, precision: config.precision }, {
        partSize: partSizeOf(config),
        recordBytes: dataset.train.source.recordBytes,
      });
    const engine = await openEngine(parts, graph, line).catch(async (error) => {
      throw old ? await explainStop(error, out, gpu, memory) : withMemory(error, memory);
    });
    using _lock = await openRunFolder(out, describeRun(parts, engine), old);
    if (normalization.meanCrop) await saveMeanCrop(out, normalization.meanCrop);
    for (const text of old ? resumptionNotes(old, gpu, dataset) : []) line.print(text);
    const profiler = profile ? new StepProfiler(engine) : null;
    const peak = profile ? await measurePeak(gpu) : null;
    const began = performance.now();
    using stop = stopSignal(() => line.print("stopping after this step (again to stop at once)"));
    await using keeper = new CheckpointKeeper({
      run: out,
      engine,
      origin: {
        codeVersion: VERSION,
        config,
        adapter: gpu.description,
        tiles: Object.fromEntries(engine.tiles),
        dataFingerprint: dataset.fingerprint,
      },
      keep: given.keep,
    });
    const options: TrainerOptions = {
      engine,
      dataset,
      config,
      colorComponents: statistics.eigen,
      start: old?.checkpoint?.state ?? START,
      signal: stop.signal,
      ...(profiler ? { makeStep: profiler.step.bind(profiler) } : {}),
      checkpoints: given.checkpoints,
      observers: [{
        onProgress: (progress) => line.update(formatProgress(progress)),
        onStep: () => keeper.check(),
        onEpoch: (record) => {
          line.print(formatEpoch(record, config));
          if (json) console.log(JSON.stringify(record));
        },
      }, ...runMetrics(out, engine)],
      onCheckpoint: (state) => keeper.save(state),
    };
    const { step } = await trainKept(options, keeper, { out, line, gpu, memory });
    const ended = stop.signal.aborted ? "stopped" : "trained";
    const seconds = (performance.now() - began) / 1000;
    line.print(`${ended}: ${step} steps in ${formatDuration(seconds)}; run: ${out}`);
    for (const text of formatCheckpoints(keeper.times)) line.print(text);
    if (profiler && peak) await reportProfile(profiler, peak, { out, config, json });
    engine.close();
    await writeReport([out], join(out, "report.html"));
    if (stop.exitCode > 0) line.print(`go on with: ./topfive train --resume ${out}`);
    return stop.exitCode;
  } finally {
    line.end();
    for (const text of formatBroken(dataset.broken)) line.print(text);
    gpu.close();
  }
}

/**
 * Trains until the last checkpoint is on the disk.
 *
 * @throws {Error} what went wrong, with the way on.
 */
async function trainKept(
  options: TrainerOptions,
  keeper: CheckpointKeeper,
  { out, line, gpu, memory }: {
    readonly out: string;
    readonly line: ProgressLine;
    readonly gpu: Gpu;
    readonly memory: () => string;
  },
): Promise<TrainingState> {
  try {
    const state = await train(options);
    await keeper.settle();
    return state;
  } catch (error) {
    if (!isNonFinite(error)) throw await explainStop(error, out, gpu, memory);
    await keeper.settle().catch(() => {});
    throw await explainNonFinite(error, out, options, line);
  }
}

/** What a training is made of. */
interface Parts {
  readonly gpu: Gpu;
  readonly config: Config;
  readonly dataset: Dataset;
  /** Its folder, as it was named. */
  readonly data: string;
  readonly statistics: Statistics;
  readonly normalization: Normalization;
  readonly old: Resumption | null;
}

/** An engine with the weights to begin with. */
async function openEngine(parts: Parts, graph: Graph, line: ProgressLine): Promise<Engine> {
  const { gpu, config, dataset, normalization: { mean, std, meanCrop }, old } = parts;
  const { crop, channels } = MODELS[config.model];
  line.print(
    `${config.model}: ${parameterCount(graph).toLocaleString("en")} parameters, ` +
      `${dataset.train.count.toLocaleString("en")} training images of ` +
      `${dataset.classes.length} classes, on ${gpu.description}`,
  );
  line.update("compiling kernels");
  const tiles = await tilesFor(gpu, graph, config, old);
  if (tiles.size > 0 && !old) line.print(`${tiles.size} measured tiles (topfive tune)`);
  const engine = await Engine.create(gpu, graph, {
    batch: config.batchSize,
    partSize: partSizeOf(config),
    preprocess: { side: config.side, crop, channels, mean, std },
    meanCrop,
    momentum: config.momentum,
    decay: config.decay,
    layers: config.layers,
    precision: config.precision,
    tiles,
  });
  const checkpoint = old?.checkpoint;
  engine.loadParameters(checkpoint?.parameters ?? initialValues(engine.arena, config.seed));
  if (checkpoint) engine.loadMomenta(checkpoint.momenta);
  if (checkpoint?.lossScale) engine.loadLossScale(checkpoint.lossScale);
  return engine;
}

/** Those of the run on the adapter that it was trained on, else what was measured on this one. */
async function tilesFor(
  gpu: Gpu,
  graph: Graph,
  config: Config,
  old: Resumption | null,
): Promise<TileTable> {
  const origin = old?.checkpoint?.origin;
  if (origin?.adapter === gpu.description) return new Map(Object.entries(origin.tiles));
  return await loadTiles({ ...gpu, precision: config.precision }, graph, partSizeOf(config));
}

/** Claims the folder of a new run; that of an old one is claimed already. */
async function openRunFolder(
  out: string,
  run: Run,
  old: Resumption | null,
): Promise<Disposable | null> {
  if (!old) {
    await createRunFolder(out, run);
    return await lockRun(out);
  }
  await keepMetricsUntil(out, old.checkpoint?.state ?? START);
  await writeRun(out, run);
  return null;
}

function requireWholeBatch({ train: { count } }: Dataset, { batchSize }: Config): void {
  if (batchSize <= count) return;
  throw new RangeError(
    `Cannot train: --batch-size is ${batchSize} and there are ${count} training images ` +
      `(expected a batch size from 1 to ${count})`,
  );
}

function describeRun(parts: Parts, engine: Engine): Run {
  const { config, dataset, data, statistics, normalization, gpu, old } = parts;
  if (old) return { ...old.run, config, data: { ...old.run.data, source: data } };
  const { mean, std, meanCrop } = normalization;
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
    mean,
    std,
    ...(meanCrop ? { meanCrop: meanCropHash(meanCrop) } : {}),
    ...(config.colorNoise > 0 ? { colorComponents: statistics.eigen } : {}),
    adapter: gpu.description,
    tiles: Object.fromEntries(engine.tiles),
    data: { fingerprint, source: data, images },
  };
}
