import type { Context, MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import { createHash, timingSafeEqual } from "node:crypto";
import { ProblemError } from "../problem.ts";

/**
 * What a key may do: ask for answers; also say which answers were wrong; read the metrics; or all of it,
 * and load and unload models.
 */
export const SCOPES = ["classify", "feedback", "metrics", "admin"] as const;
export type Scope = typeof SCOPES[number];

const ALLOWED: Readonly<Record<Scope, readonly Scope[]>> = {
  classify: ["classify"],
  feedback: ["classify", "feedback"],
  metrics: ["metrics"],
  admin: SCOPES,
};

/** A key as the service knows it: by its hash, never by itself. */
export interface ApiKey {
  /** Whose it is, for logs and limits; several keys may have one name while they are rotated. */
  readonly name: string;
  readonly scope: Scope;
  readonly sha256: Uint8Array;
}

/** The name of the key that a request came with, and undefined where none is asked for. */
export type ApiKeyVariables = { keyName?: string };

/**
 * Reads the setting: `name:scope:sha256` for each key, separated by commas or white space.
 *
 * @throws {SyntaxError} naming the entry that is wrong, without its hash.
 */
export function parseApiKeys(text: string): ApiKey[] {
  return text.split(/[\s,]+/).filter((entry) => entry !== "").map((entry, index) => {
    const match = /^([\w.-]{1,64}):(\w+):([0-9a-f]{64})$/.exec(entry);
    const scope = SCOPES.find((known) => known === match?.[2]);
    if (!match || !scope) {
      throw new SyntaxError(
        `Cannot read API key ${index + 1}: expected name:scope:sha256, the scope one of ` +
          `${SCOPES.join(", ")} and the hash 64 hexadecimal digits (topfive api-key makes one)`,
      );
    }
    return { name: match[1]!, scope, sha256: Uint8Array.fromHex(match[3]!) };
  });
}

/** A new key of 256 random bits, and the hash that the service is given. */
export function makeApiKey(): { key: string; sha256: string } {
  const random = crypto.getRandomValues(new Uint8Array(32));
  const key = `tf_${random.toBase64({ alphabet: "base64url", omitPadding: true })}`;
  return { key, sha256: createHash("sha256").update(key).digest("hex") };
}

/**
 * Lets requests with a key of the scope pass: `Authorization: Bearer KEY` or `X-API-Key: KEY`. A request
 * that `isOpen` needs none.
 *
 * @example
 * ```ts
 * app.use("/v1/*", requireApiKey(keys, "classify", () => false));
 * ```
 */
export function requireApiKey(
  keys: readonly ApiKey[],
  scope: Scope,
  isOpen: (c: Context) => boolean,
): MiddlewareHandler<{ Variables: ApiKeyVariables }> {
  return createMiddleware<{ Variables: ApiKeyVariables }>(async (c, next) => {
    const given = bearerOf(c.req.header("Authorization")) ?? c.req.header("X-API-Key");
    const key = given === undefined ? undefined : findKey(keys, given);
    if (key !== undefined) c.set("keyName", key.name);
    const allowed = key !== undefined && ALLOWED[key.scope].includes(scope);
    if (!allowed && !isOpen(c)) throw refusal(given, key, scope);
    await next();
  });
}

function refusal(given: string | undefined, key: ApiKey | undefined, scope: Scope): ProblemError {
  if (given === undefined) {
    return new ProblemError("key-missing", "Cannot answer: the request has no API key", {
      headers: { "WWW-Authenticate": "Bearer" },
    });
  }
  if (key === undefined) {
    return new ProblemError("key-unknown", "Cannot answer: the API key is not known here", {
      headers: { "WWW-Authenticate": 'Bearer error="invalid_token"' },
    });
  }
  return new ProblemError("key-scope", `Cannot answer: the API key is not for ${scope}`);
}

/** Compares with every key, so that the time taken tells nothing about which one came near. */
function findKey(keys: readonly ApiKey[], given: string): ApiKey | undefined {
  const hash = createHash("sha256").update(given).digest();
  let found: ApiKey | undefined;
  for (const key of keys) if (timingSafeEqual(key.sha256, hash)) found = key;
  return found;
}

/** RFC 6750 section 2.1; the scheme's case does not matter (RFC 9110 section 11.1). */
function bearerOf(header: string | undefined): string | undefined {
  return /^bearer +(\S+)$/i.exec(header ?? "")?.[1];
}
