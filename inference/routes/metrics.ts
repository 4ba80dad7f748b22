import { Hono } from "hono";
import type { Metrics } from "../telemetry/metrics.ts";

/** `GET /metrics`: what Prometheus reads. */
export function metricsRoute({ metrics }: { metrics: Metrics }): Hono {
  return new Hono().get("/metrics", async (c) => {
    const { text, contentType } = await metrics.text();
    return c.body(text, 200, { "Content-Type": contentType, "Cache-Control": "no-store" });
  });
}
