import type { Registry } from "./prometheus.ts";
import type { ModelHost } from "../models/model_host.ts";
import { collectedGauge } from "./collected.ts";

/** Which versions there are, and how they came. */
export function registerModelMetrics(
  registry: Registry,
  host: Pick<ModelHost, "states" | "loaded">,
): void {
  collectedGauge(registry, {
    name: "topfive_model_state",
    help: "1 for the state that each version is in",
    labelNames: ["model", "version", "state"],
    collect: (tell) => {
      for (const { name, version, state } of host.states()) {
        tell({ model: name, version, state: state.toLowerCase() }, 1);
      }
    },
  });
  collectedGauge(registry, {
    name: "topfive_model_info",
    help: "1; the labels say in which form each loaded version runs on which engine",
    labelNames: ["model", "version", "variant", "runtime"],
    collect: (tell) => {
      for (const { manifest: { name: model, version }, variant, runtime } of host.loaded()) {
        tell({ model, version, variant, runtime }, 1);
      }
    },
  });
  collectedGauge(registry, {
    name: "topfive_model_load_seconds",
    help: "Stages of a version's cold start",
    labelNames: ["model", "version", "stage"],
    collect: (tell) => {
      for (const { manifest: { name: model, version }, stages } of host.loaded()) {
        for (const [stage, milliseconds] of Object.entries(stages)) {
          tell({ model, version, stage: stage.replace(/_ms$/, "") }, milliseconds / 1000);
        }
      }
    },
  });
  collectedGauge(registry, {
    name: "topfive_model_created_timestamp_seconds",
    help: "When a loaded version was made, in seconds since 1970: how old the champion is",
    labelNames: ["model", "version"],
    collect: (tell) => {
      for (const { manifest: { name: model, version, createdAt } } of host.loaded()) {
        tell({ model, version }, Date.parse(createdAt) / 1000);
      }
    },
  });
}
