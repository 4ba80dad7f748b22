import { Hono } from "hono";
import { loadTimings } from "../middleware/server_timing.ts";
import type { ModelHost } from "../models/model_host.ts";

/** A state that a cache kept would be a lie (RFC 9111 §5.2.2.5). */
const NO_STORE = { "Cache-Control": "no-store" };

/**
 * `GET /healthz`: the process is alive. `GET /readyz`: a model is loaded, so that traffic may come, and
 * how long the stages of its loading took.
 * Both names and their meanings are those of Kubernetes' own probes.
 */
export function healthRoutes({ host }: { host: ModelHost }): Hono {
  const routes = new Hono();
  routes.get("/healthz", (c) => c.json({ status: "alive" }, 200, NO_STORE));
  routes.get("/readyz", (c) => {
    const { manifest: { name, version }, stages } = host.find();
    return c.json({ status: "ready", model: name, version }, 200, {
      ...NO_STORE,
      "Server-Timing": loadTimings(stages).join(", "),
    });
  });
  return routes;
}
