/** One line of `metrics.jsonl` for a logged step; a line of an epoch is an `EpochRecord`. */
import { z } from "zod";

const norm = z.number().nonnegative();

export const StepMetricsSchema = z.object({
  kind: z.literal("step"),
  step: z.int().positive(),
  epoch: z.int().positive(),
  learningRate: z.number(),
  /** Means over the step's own batch: a training that was interrupted writes the same line. */
  loss: z.number(),
  top1Error: z.number(),
  /** Wall-clock time since the line before; null at the first one. */
  imagesPerSecond: z.number().nullable(),
  /** Seconds since 1970. */
  time: z.number(),
  /** By parameter: norms of the weights, of the gradient and of the last update. */
  norms: z.record(z.string(), z.object({ weight: norm, gradient: norm, update: norm })),
});
export type StepMetrics = z.infer<typeof StepMetricsSchema>;

export const EpochMetricsSchema = z.object({
  epoch: z.int().positive(),
  step: z.int().positive(),
  learningRate: z.number(),
  trainingLoss: z.number(),
  trainingError: z.number(),
  imagesPerSecond: z.number(),
  validation: z.object({
    images: z.int(),
    loss: z.number(),
    top1Error: z.number(),
    top5Error: z.number(),
  }),
});
export type EpochMetrics = z.infer<typeof EpochMetricsSchema>;

export interface Metrics {
  readonly steps: readonly StepMetrics[];
  readonly epochs: readonly EpochMetrics[];
}

/** The lines of a `metrics.jsonl`; the last one may be cut off by a kill. */
export function parseMetrics(text: string): Metrics {
  const [steps, epochs]: [StepMetrics[], EpochMetrics[]] = [[], []];
  for (const line of text.split("\n")) {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      continue;
    }
    const step = StepMetricsSchema.safeParse(value);
    if (step.success) steps.push(step.data);
    const epoch = EpochMetricsSchema.safeParse(value);
    if (!step.success && epoch.success) epochs.push(epoch.data);
  }
  return { steps, epochs };
}
