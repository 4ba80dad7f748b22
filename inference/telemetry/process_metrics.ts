import { cpuUsage } from "node:process";
import { Counter, Gauge, type Registry } from "prom-client";
import config from "../deno.json" with { type: "json" };

/**
 * What every Prometheus client tells of its process, under the names that they share, and which build
 * this is. prom-client's own set asks for rights that the service has not (/proc, active handles).
 */
export function registerProcessMetrics(registry: Registry): void {
  const registers = [registry];
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory size in bytes.",
    registers,
    collect() {
      this.set(Deno.memoryUsage().rss);
    },
  });
  new Counter({
    name: "process_cpu_seconds_total",
    help: "Total user and system CPU time spent in seconds.",
    registers,
    collect() {
      const { user, system } = cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  new Gauge({
    name: "process_start_time_seconds",
    help: "Start time of the process since unix epoch in seconds.",
    registers,
  }).set(performance.timeOrigin / 1000);
  new Gauge({
    name: "topfive_build_info",
    help: "1; the labels say which build this is",
    labelNames: ["version", "deno"],
    registers,
  }).set({ version: config.version, deno: Deno.version.deno }, 1);
}
