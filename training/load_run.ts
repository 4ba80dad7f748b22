/** A finished run, ready to be used again: its graph, its weights, and how images are fed to it. */
import type { PreprocessSpec } from "../shared/image/preprocess.ts";
import { type Checkpoint, readCheckpoint } from "./checkpoint/checkpoint.ts";
import { type CheckpointName, findCheckpoint } from "./checkpoint/checkpoint_folder.ts";
import { partSizeOf } from "./config.ts";
import type { Gpu } from "./gpu/device.ts";
import { Engine } from "./graph/engine.ts";
import type { Graph } from "./graph/graph.ts";
import type { ParameterValues } from "./graph/parameters.ts";
import { MODELS } from "./models/models.ts";
import { readMeanCrop } from "./normalization.ts";
import { loadTiles } from "./tuner/load_tiles.ts";
import { readRun, type Run } from "./run_folder.ts";

export interface LoadedRun {
  readonly run: Run;
  readonly graph: Graph;
  readonly checkpoint: Checkpoint;
  readonly preprocess: PreprocessSpec;
  /** See `Normalization`. */
  readonly meanCrop: Float32Array<ArrayBuffer> | null;
}

/**
 * @param name which checkpoint; by default the one with the least validation error
 * @throws {Error} where the folder holds no run, no checkpoint yet or that of another model.
 * @throws {SyntaxError} where one of them is damaged.
 */
export async function loadRun(folder: string, name: CheckpointName = "best"): Promise<LoadedRun> {
  const run = await readRun(folder);
  const path = await findCheckpoint(folder, name);
  if (path === null) {
    throw new Error(`Cannot use run ${folder}: it has no checkpoint (no epoch was finished)`);
  }
  const checkpoint = await readCheckpoint(path);
  const { config } = checkpoint.origin;
  if (config.model !== run.config.model) {
    throw new Error(
      `Cannot use run ${folder}: its checkpoint is of ${config.model}, not ${run.config.model}`,
    );
  }
  const meanCrop = run.meanCrop ? await readMeanCrop(folder, run.meanCrop) : null;
  const { build, crop, channels } = MODELS[run.config.model];
  return {
    run,
    graph: build(run.classes.length, run.config),
    checkpoint,
    preprocess: { side: run.config.side, crop, channels, mean: run.mean, std: run.std },
    meanCrop,
  };
}

/**
 * An engine with the run's weights, in float32 as it is served: with the run's own tiles on the
 * adapter that it was trained on, else with what was measured on this one.
 *
 * @param kept where weights stay 0 in training, see `EngineOptions`
 */
export async function engineOf(gpu: Gpu, loaded: LoadedRun, kept?: ParameterValues) {
  const { run, graph, checkpoint, preprocess, meanCrop } = loaded;
  const { batchSize, momentum, decay, layers } = run.config;
  const partSize = partSizeOf(run.config);
  const tiles = run.tiles && run.adapter === gpu.description && run.config.precision === "f32"
    ? new Map(Object.entries(run.tiles))
    : await loadTiles(gpu, graph, partSize);
  const engine = await Engine.create(gpu, graph, {
    batch: batchSize,
    partSize,
    preprocess,
    meanCrop,
    momentum,
    decay,
    layers,
    tiles,
    ...(kept ? { kept } : {}),
  });
  engine.loadParameters(checkpoint.parameters);
  return engine;
}
