import type { Context, Hono } from "hono";
import { cors } from "hono/cors";
import ipaddr from "ipaddr.js";
import { type ApiKey, type ApiKeyVariables, requireApiKey, type Scope } from "./api_keys.ts";
import { rateLimit } from "./rate_limit.ts";

/** Who may ask, how often, and from whose pages. */
export interface GuardOptions {
  /** Nobody is asked for a key while there are none, but for the metrics and as an admin. */
  readonly apiKeys: readonly ApiKey[];
  /** Answers images without a key also where there are keys. */
  readonly open: boolean;
  /** Requests a minute of each key or address; 0 is no limit. */
  readonly requestsPerMinute: number;
  /** Origins whose pages may ask, "*" for all. */
  readonly corsOrigins: readonly string[];
  /** Proxies in front of this service that put the client's address into X-Forwarded-For. */
  readonly trustedProxies: number;
}

/**
 * Guards the routes that cost something or change something, with one account for each client.
 *
 * @example
 * ```ts
 * const guard = new Guard({
 *   apiKeys,
 *   open: false,
 *   requestsPerMinute: 600,
 *   corsOrigins: [],
 *   trustedProxies: 0,
 * });
 * guard.protect(app, { "/v1/*": "classify" });
 * ```
 */
export class Guard {
  readonly #options: GuardOptions;
  readonly #limit: ReturnType<typeof rateLimit>;
  readonly #cors: ReturnType<typeof corsOf> | undefined;

  constructor(options: GuardOptions) {
    const { requestsPerMinute, corsOrigins, trustedProxies } = options;
    this.#options = options;
    this.#cors = corsOrigins.length > 0 ? corsOf(corsOrigins) : undefined;
    this.#limit = rateLimit({
      perMinute: requestsPerMinute,
      addressOf: (c) => clientAddress(c, trustedProxies),
    });
  }

  /** A limit beside the operator's, with accounts of its own, for what costs more than computing. */
  limited(perMinute: number): ReturnType<typeof rateLimit> {
    const { trustedProxies } = this.#options;
    return rateLimit({ perMinute, addressOf: (c) => clientAddress(c, trustedProxies) });
  }

  /** Guards paths of an app, each for the scope that it asks for. Comes before their routes. */
  protect<E extends { Variables: ApiKeyVariables }>(
    app: Hono<E>,
    paths: Readonly<Record<string, Scope>>,
  ): void {
    for (const [path, scope] of Object.entries(paths)) {
      // Before the keys: a browser's preflight carries none.
      if (this.#cors) app.use(path, this.#cors);
      app.use(path, requireApiKey(this.#options.apiKeys, scope, (c) => this.#isOpen(c, scope)));
      app.use(path, this.#limit);
    }
  }

  /**
   * Whether a request needs no key. Metrics tell about everybody's requests: without keys they are for
   * this machine alone, and a request that some proxy passed on may come from anywhere.
   */
  #isOpen(c: Context, scope: Scope): boolean {
    const { apiKeys, open } = this.#options;
    if (scope === "admin") return false;
    if (scope === "classify" && open) return true;
    return apiKeys.length === 0 && (scope !== "metrics" || isLocal(c));
  }
}

function isLocal(c: Context): boolean {
  if (c.req.header("X-Forwarded-For") ?? c.req.header("Forwarded")) return false;
  const address = connectionAddress(c);
  return address !== undefined && ipaddr.isValid(address) &&
    ipaddr.process(address).range() === "loopback";
}

function corsOf(origins: readonly string[]) {
  return cors({
    origin: origins.includes("*") ? "*" : [...origins],
    allowMethods: ["GET", "POST"],
    allowHeaders: ["Authorization", "Content-Type", "X-API-Key", "X-Request-Id", "traceparent"],
    exposeHeaders: [
      "RateLimit-Limit",
      "RateLimit-Remaining",
      "RateLimit-Reset",
      "Retry-After",
      "Server-Timing",
      "X-Request-Id",
    ],
    maxAge: 86_400,
  });
}

/**
 * The address that asks. Behind proxies it is the one that the outermost trusted one saw; whatever
 * stands further left in the header was written by the client itself.
 */
function clientAddress(c: Context, trustedProxies: number): string {
  const forwarded = c.req.header("X-Forwarded-For")?.split(",").map((part) => part.trim()) ?? [];
  const seen = trustedProxies === 0 ? undefined : forwarded.at(-trustedProxies);
  return seen ?? connectionAddress(c) ?? "unknown";
}

function connectionAddress(c: Context): string | undefined {
  const info = c.env as Partial<Deno.ServeHandlerInfo<Deno.NetAddr>> | undefined;
  return info?.remoteAddr?.hostname;
}
