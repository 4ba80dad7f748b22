import { cpuUsage } from "node:process";
import type { Registry } from "./prometheus.ts";
import config from "../deno.json" with { type: "json" };
import { collectedCounter, collectedGauge } from "./collected.ts";

/**
 * What every Prometheus client tells of its process, under the names that they share, and which build
 * this is. prom-client's own set asks for rights that the service has not (/proc, active handles).
 */
export function registerProcessMetrics(registry: Registry): void {
  collectedGauge(registry, {
    name: "process_resident_memory_bytes",
    help: "Resident memory size in bytes.",
    collect: (tell) => tell({}, Deno.memoryUsage().rss),
  });
  collectedCounter(registry, {
    name: "process_cpu_seconds_total",
    help: "Total user and system CPU time spent in seconds.",
    collect: (tell) => {
      const { user, system } = cpuUsage();
      tell({}, (user + system) / 1e6);
    },
  });
  collectedGauge(registry, {
    name: "process_start_time_seconds",
    help: "Start time of the process since unix epoch in seconds.",
    collect: (tell) => tell({}, performance.timeOrigin / 1000),
  });
  collectedGauge(registry, {
    name: "topfive_build_info",
    help: "1; the labels say which build this is",
    labelNames: ["version", "deno"],
    collect: (tell) => tell({ version: config.version, deno: Deno.version.deno }, 1),
  });
}
