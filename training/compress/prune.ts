/**
 * Pruning by magnitude and short retraining (Han et al., "Learning both Weights and Connections for
 * Efficient Neural Networks", 2015, section 3): a weight that went to zero stays there.
 * @module
 */
import type { Dataset } from "../dataset/dataset.ts";
import { trainingStatistics } from "../dataset/statistics.ts";
import { openGpu } from "../gpu/device.ts";
import type { ParameterValues } from "../graph/parameters.ts";
import { engineOf, type LoadedRun } from "../load_run.ts";
import type { TrainingProgress } from "../progress.ts";
import { requireWholeBatch } from "../run_setup.ts";
import { train } from "../trainer.ts";

export interface Pruning {
  /** Of the weights of each layer but the first, from 0 to 1. */
  readonly share: number;
  /** Of the retraining. */
  readonly epochs: number;
}

/** Section 4.1 of the paper retrains LeNet at a tenth of the first rate. */
const RATE_SHARE = 0.1;

/**
 * Where weights stay, 1, and where they go to zero, 0: in each convolution and fully connected layer
 * the given share of the smallest magnitudes, fewer where several are equal. Biases stay, and the
 * first layer, which has few weights and loses most by them (the paper's figure 6).
 */
export function keptOf({ graph, checkpoint }: LoadedRun, share: number): ParameterValues {
  const [, ...later] = graph.nodes.filter(({ parameters }) => parameters.length > 0);
  const pruned = new Set(later.map(({ name }) => `${name}.weight`));
  return new Map([...checkpoint.parameters].map(([name, values]) => {
    if (!pruned.has(name)) return [name, values.map(() => 1)];
    const magnitudes = values.map(Math.abs);
    const limit = magnitudes.toSorted()[Math.floor(share * values.length)]!;
    return [name, magnitudes.map((magnitude) => magnitude < limit ? 0 : 1)];
  }));
}

/**
 * The run with pruned weights, retrained on the training images in the order that its seed gives, at
 * a tenth of its first rate.
 *
 * @throws {RangeError} where the data has fewer training images than a batch.
 */
export async function pruneRun(
  run: LoadedRun,
  dataset: Dataset,
  { share, epochs }: Pruning,
  onProgress: (progress: TrainingProgress) => void,
): Promise<LoadedRun> {
  requireWholeBatch(dataset, run.run.config);
  const kept = keptOf(run, share);
  const parameters: ParameterValues = new Map([...run.checkpoint.parameters].map(
    ([name, values]) => [name, values.map((value, i) => kept.get(name)![i] === 1 ? value : 0)],
  ));
  const pruned = { ...run, checkpoint: { ...run.checkpoint, parameters } };
  if (epochs === 0) return pruned;
  const gpu = await openGpu();
  try {
    const engine = await engineOf(gpu, pruned, kept);
    const { config } = run.run;
    await train({
      engine,
      dataset,
      config: {
        ...config,
        epochs,
        schedule: "constant",
        warmupSteps: 0,
        learningRate: RATE_SHARE * config.learningRate,
      },
      ...(config.colorNoise > 0 ? { colorComponents: trainingStatistics(dataset).eigen } : {}),
      signal: new AbortController().signal,
      observers: [{ onProgress }],
    });
    const retrained = await engine.readParameters();
    engine.close();
    return { ...run, checkpoint: { ...run.checkpoint, parameters: retrained } };
  } finally {
    gpu.close();
  }
}
