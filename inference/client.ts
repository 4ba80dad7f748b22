/**
 * A client of the service for TypeScript: types are those of the service itself, and it needs nothing
 * but `fetch`.
 * @module
 */
import type { Classification, ClassifyQuery } from "./classifier.ts";

export type { Classification, Prediction, Timing } from "./classifier.ts";

/** What an error answer says (RFC 9457). */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance?: string;
}

/** An answer that is no success. */
export class TopfiveError extends Error {
  override readonly name = "TopfiveError";
  readonly status: number;
  /** Undefined where something between here and the service answered in another form. */
  readonly problem: ProblemDetails | undefined;
  /** Seconds after which the service would like to be asked again. */
  readonly retryAfter: number | undefined;

  constructor(status: number, problem: ProblemDetails | undefined, retryAfter: number | undefined) {
    super(problem?.detail ?? `Cannot classify the image: the server answered ${status}`);
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

export interface ClientOptions {
  /** Sent as `Authorization: Bearer`. */
  readonly key?: string;
  /** How often a busy service (503 with Retry-After) is asked again; 2 when left out. */
  readonly retries?: number;
}

/** Waits no longer than this for a busy service, whatever it asks for. */
const MOST_WAIT_SECONDS = 10;

/**
 * @example
 * ```ts
 * const client = new TopfiveClient("http://127.0.0.1:8000");
 * const { predictions } = await client.classify(await Deno.readFile("photo.jpg"), { top: 3 });
 * ```
 */
export class TopfiveClient {
  readonly #address: URL;
  readonly #options: ClientOptions;

  /** `address`: the service's, such as `http://127.0.0.1:8000`. */
  constructor(address: string | URL, options: ClientOptions = {}) {
    this.#address = new URL(address);
    this.#options = options;
  }

  /**
   * Classifies one encoded image, or the one at an https address that the service may fetch from.
   *
   * @throws {TopfiveError} when the service refuses it.
   * @throws {TypeError} when the service cannot be reached.
   */
  async classify(
    image: Uint8Array<ArrayBuffer> | Blob | URL,
    query: Partial<ClassifyQuery> & { readonly signal?: AbortSignal } = {},
  ): Promise<Classification> {
    const { signal, ...question } = query;
    const url = new URL("v1/classify", withSlash(this.#address));
    for (const [name, value] of Object.entries(question)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const { key, retries = 2 } = this.#options;
    const headers: Record<string, string> = {
      Accept: "application/json",
      "Content-Type": image instanceof URL ? "application/json" : "application/octet-stream",
      ...(key === undefined ? {} : { Authorization: `Bearer ${key}` }),
    };
    const body = image instanceof URL ? JSON.stringify({ url: image.href }) : image;
    for (let attempt = 0;; attempt++) {
      const init = { method: "POST", headers, body, ...(signal ? { signal } : {}) };
      const response = await fetch(url, init);
      if (response.ok) return await response.json();
      const error = await errorOf(response);
      if (response.status !== 503 || error.retryAfter === undefined || attempt >= retries) {
        throw error;
      }
      const seconds = Math.min(error.retryAfter, MOST_WAIT_SECONDS);
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      signal?.throwIfAborted();
    }
  }
}

async function errorOf(response: Response): Promise<TopfiveError> {
  const text = await response.text();
  const isProblem = response.headers.get("Content-Type")?.startsWith("application/problem+json");
  const retryAfter = Number(response.headers.get("Retry-After"));
  return new TopfiveError(
    response.status,
    isProblem ? JSON.parse(text) as ProblemDetails : undefined,
    retryAfter > 0 ? retryAfter : undefined,
  );
}

/** Relative addresses replace what is behind the last slash. */
function withSlash(address: URL): URL {
  const url = new URL(address);
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}
