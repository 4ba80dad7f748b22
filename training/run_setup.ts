/** What a training has to have before its first step: its engine, its weights, its folder. */
import { type Config, partSizeOf } from "./config.ts";
import type { CheckpointOrigin } from "./checkpoint/checkpoint.ts";
import type { Dataset } from "./dataset/dataset.ts";
import type { Statistics } from "./dataset/statistics.ts";
import type { Gpu } from "./gpu/device.ts";
import { Engine } from "./graph/engine.ts";
import { type Graph, parameterCount } from "./graph/graph.ts";
import { initialValues, type ParameterValues } from "./graph/parameters.ts";
import type { TileTable } from "./kernels/tile.ts";
import { MODELS } from "./models/models.ts";
import { meanCropHash, type Normalization } from "./normalization.ts";
import type { ProgressLine } from "./progress.ts";
import type { Resumption } from "./resumption.ts";
import { createRunFolder, keepMetricsUntil, type Run, writeRun } from "./run_folder.ts";
import { lockRun } from "./run_lock.ts";
import { START } from "./training_state.ts";
import { loadTiles } from "./tuner/load_tiles.ts";
import { VERSION } from "./version.ts";

/** What a training is made of. */
export interface TrainingParts {
  readonly gpu: Gpu;
  readonly config: Config;
  readonly dataset: Dataset;
  /** Its folder, as it was named. */
  readonly data: string;
  readonly statistics: Statistics;
  readonly normalization: Normalization;
  readonly old: Resumption | null;
  /** Another model's weights to begin with, random ones where it has none. */
  readonly parent?: { readonly version: string; readonly weights: ParameterValues };
}

/** An engine with the weights to begin with. */
export async function openEngine(
  parts: TrainingParts,
  graph: Graph,
  line: ProgressLine,
): Promise<Engine> {
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
  engine.loadParameters(
    checkpoint?.parameters ??
      new Map([...initialValues(engine.arena, config.seed), ...parts.parent?.weights ?? []]),
  );
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
export async function openRunFolder(
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

/** @throws {RangeError} where there are fewer training images than a batch has. */
export function requireWholeBatch({ train: { count } }: Dataset, { batchSize }: Config): void {
  if (batchSize <= count) return;
  throw new RangeError(
    `Cannot train: --batch-size is ${batchSize} and there are ${count} training images ` +
      `(expected a batch size from 1 to ${count})`,
  );
}

/** Where the numbers of a training's checkpoints come from. */
export function originOf(
  { config, gpu, dataset }: TrainingParts,
  engine: Engine,
): CheckpointOrigin {
  return {
    codeVersion: VERSION,
    config,
    adapter: gpu.description,
    tiles: Object.fromEntries(engine.tiles),
    dataFingerprint: dataset.fingerprint,
  };
}

/** The run as its folder will say it. */
export function describeRun(parts: TrainingParts, engine: Engine): Run {
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
    ...(parts.parent ? { parent: parts.parent.version } : {}),
    adapter: gpu.description,
    tiles: Object.fromEntries(engine.tiles),
    data: {
      fingerprint,
      ...(dataset.contentFingerprint ? { content: dataset.contentFingerprint } : {}),
      source: data,
      images,
    },
  };
}
