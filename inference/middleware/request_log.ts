import type { Context, MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import { routePath } from "hono/route";
import type { Log, LogFields } from "../log.ts";
import type { ProblemName } from "../problem.ts";
import { requestIdOf, traceIdOf } from "../request_id.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { nameRequestSpan } from "../telemetry/spans.ts";
import { total } from "../telemetry/stages.ts";
import type { ApiKeyVariables } from "./api_keys.ts";
import { fetchMsOf, type NotedImagesVariables } from "./noted_images.ts";

/** What the middleware leaves in the context for the handlers after it. */
export interface RequestLogVariables {
  /** Also in the X-Request-Id header, `instance` of problems and the log. */
  requestId: string;
  /** What the answer is, where it is a problem. */
  problem?: ProblemName;
}

type Variables = { Variables: RequestLogVariables & ApiKeyVariables & NotedImagesVariables };

/** Addresses that probes ask every few seconds: they would bury everything else. */
const PROBES = new Set(["/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"]);

/** A path in a log is for finding the request, not for keeping what a client makes up. */
const LONGEST_PATH = 200;

/**
 * Names each request, counts it, and writes one line when it is answered. The line has no query and no
 * header: whatever may be secret is in neither path nor problem, and a key goes by its name.
 *
 * @example
 * ```ts
 * app.use(requestLog(createLog({ json: true }), new Metrics()));
 * ```
 */
export function requestLog(log: Log, metrics: Metrics): MiddlewareHandler<Variables> {
  return createMiddleware<Variables>(async (c, next) => {
    const requestId = requestIdOf(c.req.header("X-Request-Id"));
    const started = performance.now();
    c.set("requestId", requestId);
    await next();
    c.header("X-Request-Id", requestId);
    const { method, path } = c.req;
    const { status } = c.res;
    const milliseconds = performance.now() - started;
    const route = routeOf(c);
    const { problem } = c.var;
    metrics.request({ route, method, status, milliseconds, problem });
    nameRequestSpan(method, route, requestId);
    if (PROBES.has(path) || path === "/metrics" && status === 200) return;
    const trace = traceIdOf(c.req.header("traceparent"));
    log.info("request", {
      id: requestId,
      method,
      path: path.slice(0, LONGEST_PATH),
      status,
      ms: rounded(milliseconds),
      ...(trace === undefined ? {} : { trace }),
      ...(c.var.keyName === undefined ? {} : { key: c.var.keyName }),
      ...(problem === undefined ? {} : { problem }),
      ...imageFields(c.var.images),
    });
  });
}

/** The pattern of the address; middleware's own pattern is what is left where no route matched. */
function routeOf(c: Context): string {
  const route = routePath(c, -1);
  return route.includes("*") ? "none" : route;
}

function imageFields(images: NotedImagesVariables["images"]): LogFields {
  if (images === undefined) return {};
  const { model, version } = images[0]!;
  const stages = images.flatMap((image) => image.stages);
  const fetchMs = fetchMsOf(images);
  const cached = images.filter((image) => image.stages.length === 0).length;
  return {
    model,
    version,
    images: images.length,
    ...(cached === 0 ? {} : { cached }),
    ...(fetchMs === undefined ? {} : { fetch_ms: rounded(fetchMs) }),
    queue_ms: rounded(total(stages, "queue")),
    decode_ms: rounded(total(stages, "decode")),
    preprocess_ms: rounded(total(stages, "preprocess")),
    run_ms: rounded(total(stages, "run")),
  };
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
