import type { MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import { ProblemError } from "../problem.ts";

/**
 * Lets the open requests end before a server shuts down: new ones are sent elsewhere by 503.
 *
 * `Deno.HttpServer.shutdown()` alone would do, but in Deno 2.9 it makes bodies that are still
 * arriving unreadable (denoland/deno#36809, seen with 2.9.6 on 2026-11-24).
 *
 * @example
 * ```ts
 * const drain = new Drain();
 * app.use(drain.middleware);
 * await drain.begin();
 * await server.shutdown();
 * ```
 */
export class Drain {
  #open = 0;
  #ended: PromiseWithResolvers<void> | undefined;

  /** Counts the requests in progress, and refuses more once `begin` was called. */
  readonly middleware: MiddlewareHandler = createMiddleware(async (_c, next) => {
    if (this.#ended !== undefined) {
      throw new ProblemError("stopping", "Cannot take the request: the service is stopping", {
        headers: { "Retry-After": "1", "Connection": "close" },
      });
    }
    this.#open++;
    try {
      await next();
    } finally {
      this.#open--;
      this.#endIfIdle();
    }
  });

  /** Resolves when the last open request has been answered. */
  begin(): Promise<void> {
    this.#ended ??= Promise.withResolvers();
    this.#endIfIdle();
    return this.#ended.promise;
  }

  #endIfIdle(): void {
    if (this.#open === 0) this.#ended?.resolve();
  }
}
