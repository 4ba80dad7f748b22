import { join } from "node:path";
import type { ModelManifest } from "../../../shared/manifest.ts";
import { readPointed } from "../../../shared/model_registry.ts";
import { readWeights } from "../../../shared/registry/weights.ts";
import { decodeOnnx } from "../../../shared/onnx/read.ts";
import { readPointer } from "../../../shared/registry/pointer.ts";
import { CheckpointKeeper } from "../../checkpoint/checkpoint_keeper.ts";
import type { Dataset } from "../../dataset/dataset.ts";
import { trainingStatistics } from "../../dataset/statistics.ts";
import { findCheckpoint } from "../../checkpoint/checkpoint_folder.ts";
import { openGpu } from "../../gpu/device.ts";
import type { Graph } from "../../graph/graph.ts";
import { type LoadedRun, loadRun } from "../../load_run.ts";
import { runMetrics } from "../../metrics/run_metrics.ts";
import { MODELS } from "../../models/models.ts";
import { normalize, saveMeanCrop } from "../../normalization.ts";
import { formatProgress } from "../../progress.ts";
import { openOldTraining, requireSameData, type Resumption } from "../../resumption.ts";
import {
  describeRun,
  openEngine,
  openRunFolder,
  originOf,
  requireWholeBatch,
  type TrainingParts,
} from "../../run_setup.ts";
import { lockRun } from "../../run_lock.ts";
import { train as trainSteps } from "../../trainer.ts";
import { START, type TrainingState } from "../../training_state.ts";
import { writeReport } from "../../report/report.ts";
import { growHead } from "../grow_head.ts";
import { trainingPrefix } from "../keys.ts";
import type { Stage, StageContext } from "../stage.ts";
import { TrainingMirror } from "../training_mirror.ts";
import { openPrepared } from "./prepare.ts";

export interface TrainOutput {
  /** Version whose weights it began from; null for random ones. */
  readonly parent: string | null;
  /** Why it did not begin from the champion's, where that was wanted. */
  readonly note: string | null;
  readonly steps: number;
  /** The epoch with the least validation error, from 1, and that error. */
  readonly best: { readonly epoch: number; readonly top1Error: number } | null;
  readonly adapter: string;
}

/** Checkpoints beside the best. */
const KEEP = 1;

/** Trains the candidate. It goes on from the store's last checkpoint, to the bit on the same adapter. */
export const train: Stage<"train"> = {
  name: "train",
  inputs: ({ settings, result }) => ({
    data: result("prepare").fingerprint,
    training: settings.training,
    from: settings.from,
  }),
  async run(context) {
    const { dataset, folder: data } = await openPrepared(context);
    requireWholeBatch(dataset, context.settings.training);
    const folder = runFolder(context);
    const mirror = mirrorOf(context);
    const old = await openOld(context, folder, mirror, dataset, data);
    const parent = await findParent(context, dataset.classes, old);
    const state = await trainOn(context, { dataset, data, folder, mirror, old, parent });
    context.signal.throwIfAborted();
    await writeReport([folder], join(folder, "report.html"));
    await mirror.push();
    const { run } = await loadRun(folder);
    return {
      parent: run.parent ?? null,
      note: parent.note,
      steps: state.step,
      best: state.best && { epoch: state.best.epoch, top1Error: state.best.top1Error },
      adapter: run.adapter,
    };
  },
  describe: ({ parent, note, steps, best }) =>
    [
      `${steps} steps from ${parent ? `the weights of ${parent}` : "random weights"}`,
      ...(note ? [note] : []),
      ...(best
        ? [`least validation error ${(100 * best.top1Error).toFixed(2)} % in epoch ${best.epoch}`]
        : []),
    ].join("; "),
};

/** The trained candidate: fetched from the store where this machine has none or trained a part. */
export async function loadTrained(context: StageContext): Promise<LoadedRun> {
  await mirrorOf(context).pull();
  return await loadRun(runFolder(context));
}

function runFolder({ work, run }: StageContext): string {
  return join(work, "runs", run.record.run);
}

function mirrorOf(context: StageContext): TrainingMirror {
  const { store, model, run } = context;
  return new TrainingMirror(store, trainingPrefix(model, run.record.run), runFolder(context));
}

/** The training as it was left off, here or elsewhere; null for one that is still to begin. */
async function openOld(
  { settings }: StageContext,
  folder: string,
  mirror: TrainingMirror,
  dataset: Dataset,
  data: string,
): Promise<Resumption | null> {
  await mirror.pull();
  if (await findCheckpoint(folder, "latest").catch(() => null) === null) {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
    return null;
  }
  const { model: _, ...training } = settings.training;
  const old = await openOldTraining(folder, { from: "latest", settings: training, data });
  requireSameData(folder, old.run, dataset, data);
  return old;
}

interface Parent {
  readonly model: TrainingParts["parent"];
  readonly note: string | null;
}

/** The champion's weights, where they are wanted and fit. */
async function findParent(
  { store, model, settings }: StageContext,
  classes: readonly string[],
  old: Resumption | null,
): Promise<Parent> {
  if (settings.from === "scratch" || old) return { model: undefined, note: null };
  const pointer = await readPointer(store, model, "champion");
  if (pointer === null) return { model: undefined, note: "there is no champion yet" };
  const champion = await readPointed(store, model, pointer);
  const { training } = settings;
  const graph = MODELS[training.model].build(classes.length, training);
  const weights = await fitting(graph, classes, champion, {
    bytes: await readWeights(store, champion),
    seed: training.seed,
  });
  if (weights) return { model: { version: champion.version, weights }, note: null };
  const other = champion.provenance.model;
  return { model: undefined, note: `the champion's network (${other}) is another one` };
}

function fitting(
  graph: Graph,
  classes: readonly string[],
  { labels }: ModelManifest,
  { bytes, seed }: { readonly bytes: Uint8Array; readonly seed: number },
) {
  const weights = new Map<string, Float32Array>();
  for (const { name, data } of decodeOnnx(bytes).initializers) {
    if (data instanceof Float32Array) weights.set(name, data);
  }
  return growHead(graph, classes, { weights, classes: labels }, seed);
}

interface Training {
  readonly dataset: Dataset;
  readonly data: string;
  readonly folder: string;
  readonly mirror: TrainingMirror;
  readonly old: Resumption | null;
  readonly parent: Parent;
}

async function trainOn(
  context: StageContext,
  { dataset, data, folder, mirror, old, parent }: Training,
): Promise<TrainingState> {
  const { settings: { training: config }, line, signal } = context;
  const gpu = await openGpu();
  try {
    const statistics = trainingStatistics(dataset);
    const normalization = normalize(statistics, config, MODELS[config.model].crop);
    const parts: TrainingParts = {
      ...{ gpu, config, dataset, data, statistics, normalization, old },
      ...(parent.model ? { parent: parent.model } : {}),
    };
    const graph = MODELS[config.model].build(dataset.classes.length, config);
    const engine = await openEngine(parts, graph, line);
    if (old) await Deno.mkdir(folder, { recursive: true });
    using _old = old ? await lockRun(folder) : null;
    using _new = await openRunFolder(folder, describeRun(parts, engine), old);
    if (normalization.meanCrop) await saveMeanCrop(folder, normalization.meanCrop);
    await using keeper = new CheckpointKeeper({
      run: folder,
      engine,
      origin: originOf(parts, engine),
      keep: KEEP,
    });
    let pushedAt = performance.now();
    const state = await trainSteps({
      ...{ engine, dataset, config, signal },
      colorComponents: statistics.eigen,
      start: old?.checkpoint?.state ?? START,
      checkpoints: { everyMinutes: context.checkpointMinutes || undefined },
      observers: [{
        onProgress: (progress) => line.update(`train: ${formatProgress(progress)}`),
        onStep: () => keeper.check(),
      }, ...runMetrics(folder, engine)],
      onCheckpoint: async (state) => {
        await keeper.save(state);
        const minutes = (performance.now() - pushedAt) / 60_000;
        if (minutes < context.checkpointMinutes && !signal.aborted) return;
        await keeper.settle();
        await context.lease.renew();
        await mirror.push();
        pushedAt = performance.now();
      },
    });
    await keeper.settle();
    engine.close();
    return state;
  } finally {
    gpu.close();
  }
}
