import type { ServedModel } from "../models/served_model.ts";
import type { Duration } from "../telemetry/statistics.ts";

/**
 * The statistics of versions as Triton's extension has them: durations in nanoseconds, all since the
 * version was loaded. Images are decoded before they meet in a batch, so that `compute_input` and
 * `compute_output` of a batch are 0.
 */
export function statisticsOf(models: readonly ServedModel[]) {
  return { model_stats: models.map(modelStatistics) };
}

function modelStatistics({ manifest: { name, version }, statistics }: ServedModel) {
  const { success, failure, queue, input, run, output, cacheHit, cacheMiss } = statistics;
  return {
    name,
    version,
    last_inference: Math.round(statistics.lastInferenceAt),
    inference_count: statistics.inferences,
    execution_count: statistics.executions,
    inference_stats: {
      success: nanoseconds(success),
      fail: nanoseconds(failure),
      queue: nanoseconds(queue),
      compute_input: nanoseconds(input),
      compute_infer: nanoseconds(run),
      compute_output: nanoseconds(output),
      cache_hit: nanoseconds(cacheHit),
      cache_miss: nanoseconds(cacheMiss),
    },
    batch_stats: [...statistics.batches].sort(([a], [b]) => a - b).map(([size, duration]) => ({
      batch_size: size,
      compute_input: { count: duration.count, ns: 0 },
      compute_infer: nanoseconds(duration),
      compute_output: { count: duration.count, ns: 0 },
    })),
    memory_usage: [],
  };
}

function nanoseconds({ count, milliseconds }: Duration): { count: number; ns: number } {
  return { count, ns: Math.round(milliseconds * 1e6) };
}
