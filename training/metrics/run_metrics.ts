/** What a training leaves in its run's folder to be looked at: lines, events, and the page. */
import { join } from "node:path";
import type { Engine } from "../graph/engine.ts";
import { writeReport } from "../report/report.ts";
import { appendMetrics } from "../run_folder.ts";
import type { EpochRecord, TrainingObserver } from "../trainer/training_observer.ts";
import { EventFile } from "./event_file.ts";
import { MetricsObserver } from "./metrics_observer.ts";
import type { StepMetrics } from "./step_metrics.ts";

/** Steps between two that are logged with their norms. */
export const LOG_EVERY = 20;

/** Writes `metrics.jsonl`, TensorBoard's event file and, after each epoch, `report.html`. */
export function runMetrics(folder: string, engine: Engine): readonly TrainingObserver[] {
  const events = new EventFile(folder, Date.now() / 1000);
  const steps = new MetricsObserver(engine, LOG_EVERY, async (metrics) => {
    await appendMetrics(folder, metrics);
    await events.write(metrics.step, metrics.time, stepScalars(metrics));
  });
  const epochs: TrainingObserver = {
    onEpoch: async (record) => {
      await appendMetrics(folder, record);
      await events.write(record.step, Date.now() / 1000, epochScalars(record));
      await writeReport([folder], join(folder, "report.html"), { weights: false });
    },
  };
  return [steps, epochs];
}

function stepScalars({ loss, top1Error, learningRate, imagesPerSecond, norms }: StepMetrics) {
  const layers = Object.entries(norms).flatMap(([name, { weight, gradient, update }]) => [
    [`gradient norm/${name}`, gradient],
    [`weight norm/${name}`, weight],
    ...weight > 0 ? [[`update ratio/${name}`, update / weight]] : [],
  ]);
  return {
    "training/loss": loss,
    "training/top-1 error": top1Error,
    "training/learning rate": learningRate,
    ...imagesPerSecond === null ? {} : { "training/images per second": imagesPerSecond },
    ...Object.fromEntries(layers) as Record<string, number>,
  };
}

function epochScalars({ validation }: EpochRecord) {
  return {
    "validation/loss": validation.loss,
    "validation/top-1 error": validation.top1Error,
    "validation/top-5 error": validation.top5Error,
  };
}
