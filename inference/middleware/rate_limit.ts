import type { MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import { ProblemError } from "../problem.ts";
import type { ApiKeyVariables } from "./api_keys.ts";

export interface RateLimitOptions {
  /** Requests a minute of each client, in the long run; 0 is no limit. */
  readonly perMinute: number;
  /** Who asks, where there is no key: the address of the connection. */
  addressOf(c: Parameters<MiddlewareHandler>[0]): string;
  /** Milliseconds; given by tests. */
  now?: () => number;
}

/** Clients that are remembered. The one seen longest ago is forgotten: it has its full measure again. */
const MOST_CLIENTS = 10_000;

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * A token bucket for each key or, without keys, each address: it holds a minute's requests and fills
 * evenly. Answers tell what is left in the fields of the IETF draft "RateLimit header fields for HTTP",
 * and refusals when to come back. The npm package hono-rate-limiter would bring a storage layer along.
 *
 * @example
 * ```ts
 * app.use("/v1/*", rateLimit({ perMinute: 60, addressOf }));
 * ```
 */
export function rateLimit(
  { perMinute, addressOf, now = () => performance.now() }: RateLimitOptions,
): MiddlewareHandler<{ Variables: ApiKeyVariables }> {
  const buckets = new Map<string, Bucket>();
  const tokenMs = 60_000 / perMinute;
  return createMiddleware<{ Variables: ApiKeyVariables }>(async (c, next) => {
    if (perMinute === 0) return await next();
    const client = c.var.keyName === undefined ? `address ${addressOf(c)}` : `key ${c.var.keyName}`;
    const time = now();
    const before = buckets.get(client) ?? { tokens: perMinute, at: time };
    const tokens = Math.min(perMinute, before.tokens + (time - before.at) / tokenMs);
    const allowed = tokens >= 1;
    const left = allowed ? tokens - 1 : tokens;
    // Put in again, so that the map's order is that of the last visits.
    buckets.delete(client);
    buckets.set(client, { tokens: left, at: time });
    if (buckets.size > MOST_CLIENTS) buckets.delete(buckets.keys().next().value!);
    const headers = {
      "RateLimit-Limit": String(perMinute),
      "RateLimit-Remaining": String(Math.floor(left)),
      // Seconds until the bucket is full.
      "RateLimit-Reset": String(Math.ceil((perMinute - left) * tokenMs / 1000)),
    };
    if (!allowed) {
      throw new ProblemError("too-many-requests", `Cannot answer more than ${perMinute} a minute`, {
        headers: { ...headers, "Retry-After": String(Math.ceil((1 - tokens) * tokenMs / 1000)) },
      });
    }
    await next();
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
  });
}
