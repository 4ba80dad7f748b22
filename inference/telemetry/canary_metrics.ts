import type { Registry } from "./prometheus.ts";
import type { CanaryReport } from "../../shared/registry/canary.ts";
import { collectedCounter, collectedGauge } from "./collected.ts";

/** How candidates do beside champions; all counts begin with the canary. */
export function registerCanaryMetrics(
  registry: Registry,
  canaries: () => readonly CanaryReport[],
): void {
  collectedGauge(registry, {
    name: "topfive_canary_state",
    help: "1 for the state that the canary of each model is in",
    labelNames: ["model", "state"],
    collect: (tell) => {
      for (const { model, state } of canaries()) tell({ model, state }, 1);
    },
  });
  collectedCounter(registry, {
    name: "topfive_canary_images_total",
    help: "Images that champion and candidate were asked about",
    labelNames: ["model", "role", "outcome"],
    collect: (tell) => {
      for (const { model, canary } of canaries()) {
        for (const role of ["champion", "candidate"] as const) {
          const { asked, errors } = canary?.[`${role}s`] ?? { asked: 0, errors: 0 };
          tell({ model, role, outcome: "answer" }, asked - errors);
          tell({ model, role, outcome: "error" }, errors);
        }
      }
    },
  });
  collectedGauge(registry, {
    name: "topfive_canary_compared_images",
    help: "Images that a candidate and its champion both answered, by whether they agreed",
    labelNames: ["model", "outcome"],
    collect: (tell) => {
      for (const { model, canary } of canaries()) {
        const { agreed = 0, differed = 0, newClass = 0 } = canary?.compared ?? {};
        tell({ model, outcome: "agreed" }, agreed);
        tell({ model, outcome: "differed" }, differed);
        tell({ model, outcome: "new_class" }, newClass);
      }
    },
  });
}
