import type { Context, Hono } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import type { Log } from "../log.ts";
import { ProblemError, problemResponse, PROBLEMS, toProblem } from "../problem.ts";
import type { RequestLogVariables } from "./request_log.ts";

type Variables = { Variables: RequestLogVariables };

/**
 * The one way out for everything that goes wrong: thrown errors, unknown addresses and wrong
 * methods all leave as `application/problem+json`; what is our own fault is logged with its cause.
 *
 * @example
 * ```ts
 * const app = new Hono();
 * installErrors(app, log);
 * app.get("/", () => { throw new ProblemError("queue-full", "Cannot take the image now"); });
 * ```
 */
export function installErrors(app: Hono<Variables>, log: Log): void {
  const respond = (c: Context<Variables>, error: unknown) => {
    const problem = toProblem(error);
    c.set("problem", problem.problem);
    if (problem.problem === "internal-error") {
      log.error("failed", { id: c.var.requestId, cause: causeOf(problem) });
    }
    return problemResponse(problem, c.var.requestId);
  };
  app.onError((error, c) => respond(c, error));
  app.notFound((c) =>
    respond(c, new ProblemError("not-found", `Cannot answer ${c.req.method} ${c.req.path}`))
  );
  app.use(methodNotAllowed({
    app,
    onMethodNotAllowed: (c, methods) =>
      respond(
        c,
        new ProblemError(
          "method-not-allowed",
          `Cannot answer ${c.req.method} ${c.req.path}: it answers ${methods.join(", ")}`,
          { headers: { Allow: methods.join(", ") } },
        ),
      ),
  }));
}

function causeOf(problem: ProblemError): string {
  const { cause } = problem;
  if (cause instanceof Error) return cause.stack ?? cause.message;
  return cause === undefined ? PROBLEMS[problem.problem].title : String(cause);
}
