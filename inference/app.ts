import { Hono } from "hono";
import type { Canaries } from "./canary/canaries.ts";
import type { ObjectStore } from "../shared/object_store/object_store.ts";
import type { Classifier } from "./classifier.ts";
import type { Incoming } from "./feedback/incoming.ts";
import type { ImageFetcher } from "./fetch_image/image_fetcher.ts";
import { kserveRoutes } from "./kserve/routes.ts";
import type { Log } from "./log.ts";
import type { ApiKeyVariables } from "./middleware/api_keys.ts";
import { Drain } from "./middleware/drain.ts";
import { installErrors } from "./middleware/errors.ts";
import type { Guard } from "./middleware/guard.ts";
import { requestLog, type RequestLogVariables } from "./middleware/request_log.ts";
import { securityHeaders } from "./middleware/security_headers.ts";
import { serverTiming } from "./middleware/server_timing.ts";
import type { ModelHost } from "./models/model_host.ts";
import { openApiRoutes } from "./openapi/routes.ts";
import { classifyRoute } from "./routes/classify.ts";
import { feedbackRoutes } from "./routes/feedback.ts";
import { healthRoutes } from "./routes/health.ts";
import { huggingFaceRoute } from "./routes/hugging_face.ts";
import { metricsRoute } from "./routes/metrics.ts";
import { modelPageRoutes } from "./routes/model_page.ts";
import { pageRoute } from "./routes/page.ts";
import { problemRoutes } from "./routes/problems.ts";
import { runRoutes } from "./routes/runs.ts";
import { BodyReader } from "./request_body.ts";
import type { Metrics } from "./telemetry/metrics.ts";

/** What the app stands on; it reads no environment and opens nothing by itself. */
export interface AppOptions {
  classifier: Classifier;
  host: ModelHost;
  canaries: Canaries;
  /** Where the models come from; how they were trained is shown from there. */
  store: ObjectStore;
  /** Most bytes of a request body. */
  maxBodyBytes: number;
  /** Longest time from a request's head to the end of its body. */
  bodySeconds: number;
  /** For images that clients name by address. */
  fetcher: ImageFetcher;
  /** Where corrections are kept; undefined where none are taken. */
  incoming?: Incoming | undefined;
  /** Whether corrections may name labels that the model does not know. */
  newLabels: boolean;
  guard: Guard;
  log: Log;
  metrics: Metrics;
  /** Lets whoever owns the server end the open requests before it shuts down. */
  drain?: Drain;
}

/** Corrections a minute of one client: what is stored is there for good, and a person says no more. */
const MOST_FEEDBACK = 30;

/** The service's web application: routes and middleware, nothing that outlives a request. */
export function createApp(
  { drain = new Drain(), ...options }: AppOptions,
): Hono<{ Variables: RequestLogVariables & ApiKeyVariables }> {
  const { classifier, host, store, fetcher, guard, log, metrics } = options;
  const { maxBodyBytes, bodySeconds } = options;
  const bodies = new BodyReader({ maxBytes: maxBodyBytes, milliseconds: bodySeconds * 1000 });
  const app = new Hono<{ Variables: RequestLogVariables & ApiKeyVariables }>();
  app.use(requestLog(log, metrics));
  app.use(serverTiming());
  app.use(securityHeaders());
  app.use(drain.middleware);
  installErrors(app, log);
  guard.protect(app, {
    "/v1/classify": "classify",
    "/v1/feedback": "feedback",
    "/hf/*": "classify",
    "/models/*": "classify",
    "/metrics": "metrics",
  });
  app.post("/v1/feedback", guard.limited(MOST_FEEDBACK));
  app.route("/", healthRoutes({ host }));
  app.route("/", classifyRoute({ classifier, host, bodies, fetcher }));
  app.route("/", huggingFaceRoute({ classifier, host, bodies }));
  app.route("/", kserveRoutes({ ...options, bodies }));
  app.route("/", feedbackRoutes({ ...options, bodies }));
  app.route("/", metricsRoute({ metrics }));
  app.route("/", openApiRoutes());
  app.route("/", modelPageRoutes({ host }));
  app.route("/", pageRoute({ host, feedback: options.incoming !== undefined }));
  app.route("/", runRoutes({ host, store }));
  app.route("/", problemRoutes());
  return app;
}
