import { Hono } from "hono";
import type { Classifier } from "./classifier.ts";
import type { Log } from "./log.ts";
import { Drain } from "./middleware/drain.ts";
import { installErrors } from "./middleware/errors.ts";
import { requestLog, type RequestLogVariables } from "./middleware/request_log.ts";
import { securityHeaders } from "./middleware/security_headers.ts";
import { classifyRoute } from "./routes/classify.ts";
import { healthRoutes } from "./routes/health.ts";
import { pageRoute } from "./routes/page.ts";
import { problemRoutes } from "./routes/problems.ts";

/** What the app stands on; it reads no environment and opens nothing by itself. */
export interface AppOptions {
  /** The classifier of this moment: undefined until the first model is loaded. */
  classifier: () => Classifier | undefined;
  /** Most bytes of a request body. */
  maxBodyBytes: number;
  log: Log;
  /** Lets whoever owns the server end the open requests before it shuts down. */
  drain?: Drain;
}

/** The service's web application: routes and middleware, nothing that outlives a request. */
export function createApp(
  { classifier, maxBodyBytes, log, drain = new Drain() }: AppOptions,
): Hono<{ Variables: RequestLogVariables }> {
  const app = new Hono<{ Variables: RequestLogVariables }>();
  app.use(requestLog(log));
  app.use(securityHeaders());
  app.use(drain.middleware);
  installErrors(app, log);
  app.route("/", healthRoutes({ classifier }));
  app.route("/", classifyRoute({ classifier, maxBodyBytes }));
  app.route("/", pageRoute({ classifier }));
  app.route("/", problemRoutes());
  return app;
}
