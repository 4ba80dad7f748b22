import { join } from "node:path";
import { CheckpointKeeper } from "../checkpoint/checkpoint_keeper.ts";
import { type Config, partSizeOf } from "../config.ts";
import { trainingStatistics } from "../dataset/statistics.ts";
import { type Gpu, openGpu } from "../gpu/device.ts";
import { requireTimestamps } from "../gpu/profiler.ts";
import { MODELS } from "../models/models.ts";
import { normalize, saveMeanCrop } from "../normalization.ts";
import { measurePeak } from "../profile/peak.ts";
import { StepProfiler } from "../profile/step_profiler.ts";
import { formatDuration, formatProgress, ProgressLine } from "../progress.ts";
import { requireNoRun } from "../run_folder.ts";
import { lockRun } from "../run_lock.ts";
import {
  describeRun,
  openEngine,
  openRunFolder,
  originOf,
  requireWholeBatch,
} from "../run_setup.ts";
import { train, type TrainerOptions } from "../trainer.ts";
import { START, type TrainingState } from "../training_state.ts";
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
} from "../resumption.ts";
import { stopSignal } from "./stop_signal.ts";
import { formatBroken, formatCheckpoints, formatEpoch } from "./train_report.ts";
import {
  explainNonFinite,
  explainStop,
  isNonFinite,
  MemoryAdvice,
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
    const memory = new MemoryAdvice({
      graph,
      gpu,
      precision: config.precision,
      partSize: partSizeOf(config),
      recordBytes: dataset.train.source.recordBytes,
      tryParts: (gpu, microBatch) =>
        openEngine({ ...parts, gpu, config: { ...config, microBatch } }, graph, line),
    });
    const engine = await openEngine(parts, graph, line).catch(async (error) => {
      throw old ? await explainStop(error, out, gpu, memory) : await withMemory(error, memory);
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
      origin: originOf(parts, engine),
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
    readonly memory: MemoryAdvice;
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
