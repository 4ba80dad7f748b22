import { createMiddleware } from "hono/factory";
import type { Log } from "../log.ts";

/** What the middleware leaves in the context for the handlers after it. */
export interface RequestLogVariables {
  /** UUID of this request, also in the X-Request-Id header, `instance` of problems and the log. */
  requestId: string;
}

/** Addresses that probes ask every few seconds: their successes would bury everything else. */
const PROBES = new Set(["/healthz", "/readyz"]);

/**
 * Names each request and writes one line when it is answered. The id is always our own: a client
 * that chose it could make two requests look like one.
 *
 * @example
 * ```ts
 * app.use(requestLog(createLog({ json: true })));
 * ```
 */
export function requestLog(log: Log) {
  return createMiddleware<{ Variables: RequestLogVariables }>(async (c, next) => {
    const requestId = crypto.randomUUID();
    const started = performance.now();
    c.set("requestId", requestId);
    await next();
    c.header("X-Request-Id", requestId);
    const { path, method } = c.req;
    const { status } = c.res;
    if (PROBES.has(path)) return;
    const ms = Math.round((performance.now() - started) * 10) / 10;
    log.info("request", { method, path, status, ms, id: requestId });
  });
}
