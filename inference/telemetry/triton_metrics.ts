import type { Registry } from "./prometheus.ts";
import type { ServedModel } from "../models/served_model.ts";
import { collectedCounter, collectedGauge } from "./collected.ts";
import type { Duration } from "./statistics.ts";

const LABELS = ["model", "version"];

/**
 * Metrics under the names of NVIDIA's Triton, which dashboards know, for the versions that are loaded.
 * They are read from the same statistics as `/v2/models/{m}/stats`.
 */
export function registerTritonMetrics(
  registry: Registry,
  loaded: () => readonly ServedModel[],
): void {
  const counter = (name: string, help: string, valueOf: (model: ServedModel) => number) =>
    collectedCounter(registry, {
      name,
      help,
      labelNames: LABELS,
      collect: (tell) => {
        for (const model of loaded()) tell(labelsOf(model), valueOf(model));
      },
    });
  const duration = (name: string, help: string, of: (model: ServedModel) => Duration) =>
    counter(
      `nv_inference_${name}_duration_us`,
      `Microseconds ${help}`,
      (model) => of(model).milliseconds * 1000,
    );
  counter(
    "nv_inference_request_success",
    "Images answered, cached answers too",
    ({ statistics }) => statistics.success.count,
  );
  counter(
    "nv_inference_request_failure",
    "Images without an answer",
    ({ statistics }) => statistics.failure.count,
  );
  counter(
    "nv_inference_count",
    "Inputs that the network was run on",
    ({ statistics }) => statistics.inferences,
  );
  counter(
    "nv_inference_exec_count",
    "Runs of the network, of any batch size",
    ({ statistics }) => statistics.executions,
  );
  duration("request", "from arrival to answer", ({ statistics }) => statistics.success);
  duration("queue", "in queues", ({ statistics }) => statistics.queue);
  duration("compute_input", "decoding and preprocessing", ({ statistics }) => statistics.input);
  duration("compute_infer", "in runs of the network", ({ statistics }) => statistics.run);
  duration("compute_output", "writing answers", ({ statistics }) => statistics.output);
  counter(
    "nv_cache_num_hits_per_model",
    "Images answered from the cache",
    ({ statistics }) => statistics.cacheHit.count,
  );
  counter(
    "nv_cache_num_misses_per_model",
    "Images that the cache had no answer to",
    ({ statistics }) => statistics.cacheMiss.count,
  );
  collectedGauge(registry, {
    name: "nv_inference_pending_request_count",
    help: "Images being worked on or waiting",
    labelNames: LABELS,
    collect: (tell) => {
      for (const model of loaded()) tell(labelsOf(model), model.users);
    },
  });
}

function labelsOf({ manifest: { name, version } }: ServedModel) {
  return { model: name, version };
}
