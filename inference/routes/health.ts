import { Hono } from "hono";
import type { Classifier } from "../classifier.ts";
import { modelNotLoaded } from "../problem.ts";

/** A state that a cache kept would be a lie (RFC 9111 §5.2.2.5). */
const NO_STORE = { "Cache-Control": "no-store" };

/**
 * `GET /healthz`: the process is alive. `GET /readyz`: a model is loaded, so that traffic may come.
 * Both names and their meanings are those of Kubernetes' own probes.
 */
export function healthRoutes({ classifier }: { classifier: () => Classifier | undefined }): Hono {
  const routes = new Hono();
  routes.get("/healthz", (c) => c.json({ status: "alive" }, 200, NO_STORE));
  routes.get("/readyz", (c) => {
    const current = classifier();
    if (current === undefined) throw modelNotLoaded();
    const { name, version } = current.model.manifest;
    return c.json({ status: "ready", model: name, version }, 200, NO_STORE);
  });
  return routes;
}
