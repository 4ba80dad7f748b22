import { cropWord } from "../augment/draw.ts";
import type { Split } from "../dataset/dataset.ts";
import { evaluationBatches } from "../dataset/loader.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Engine } from "../graph/engine.ts";
import { PASSES_KEPT } from "../graph/output_reader.ts";
import { engineOf, type LoadedRun } from "../load_run.ts";
import type { PredictOptions, Predictor } from "./predictor.ts";

/** Where a pass's probabilities belong. */
interface Pass {
  readonly start: number;
  readonly count: number;
}

export async function enginePredictor(gpu: Gpu, run: LoadedRun): Promise<Predictor> {
  const engine = await engineOf(gpu, run);
  const { classes } = run.run;
  return {
    classes,
    preprocess: run.preprocess,
    predict: (split, options) => predictSplit(engine, classes.length, split, options),
    close: () => Promise.resolve(engine.close()),
  };
}

/**
 * Probabilities [images, classes] of a split by the training graph, the mean over the views. The
 * GPU is looked at once in several passes, and goes on with the next ones meanwhile.
 */
export async function predictSplit(
  engine: Engine,
  classes: number,
  split: Split,
  { views, onProgress }: PredictOptions,
): Promise<Float32Array<ArrayBuffer>> {
  const sums = new Float32Array(split.count * classes);
  const add = async (answers: Promise<Float32Array>, passes: readonly Pass[]) => {
    const probabilities = await answers;
    passes.forEach(({ start, count }, pass) => {
      const from = pass * engine.partSize * classes;
      const to = start * classes;
      for (let i = 0; i < count * classes; i++) sums[to + i]! += probabilities[from + i]!;
    });
    const { start, count } = passes.at(-1)!;
    onProgress?.(start + count);
  };
  const crops = views.map((view) => new Uint32Array(engine.partSize).fill(cropWord(view)));
  let passes: Pass[] = [];
  let waiting = Promise.resolve();
  const look = async () => {
    const next = add(engine.takeProbabilities(), passes);
    passes = [];
    await waiting;
    waiting = next;
  };
  for (const { records, labels, count, start } of evaluationBatches(split, engine.partSize)) {
    for (const crop of crops) {
      engine.evaluateStep({ records, labels, crops: crop }, count);
      engine.keepProbabilities();
      passes.push({ start, count });
      if (passes.length === PASSES_KEPT) await look();
    }
  }
  if (passes.length > 0) await look();
  await waiting;
  return sums.map((sum) => sum / views.length);
}
