import { ProblemError, queueFull, toProblem } from "../problem.ts";
import { type AllowedHosts, refused } from "./allowed_hosts.ts";
import { httpsGet, TooLargeError } from "./https_get.ts";
import { type Connect, connectPublicly } from "./public_connection.ts";

/** Addresses behind one another that an image may be moved along. */
const MOST_REDIRECTS = 3;

/** Images on their way at once: a server that answers slowly holds no more than these. */
const MOST_AT_ONCE = 32;

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface ImageFetcherOptions {
  readonly hosts: AllowedHosts;
  readonly maxBytes: number;
  /** Longest time for one image, redirects included. */
  readonly milliseconds: number;
  /** Told of each image: "fetched", or the problem that it met. */
  readonly onFetch?: (outcome: string, milliseconds: number) => void;
  /** Trusted beside the runtime's certificates; given by tests. */
  readonly caCerts?: readonly string[];
  /** Given by tests. */
  readonly connect?: Connect;
}

/** Brings images that clients name by address, from the hosts that the operator allows. */
export class ImageFetcher {
  readonly #options: ImageFetcherOptions;
  #open = 0;

  constructor(options: ImageFetcherOptions) {
    this.#options = options;
  }

  /**
   * The bytes at an https address.
   *
   * @throws {ProblemError} `image-url-refused` when the address, or one that it redirects to, is not
   * allowed; `image-url-failed` when nothing good came from it; `queue-full`.
   */
  async fetch(address: string, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const started = performance.now();
    const { onFetch } = this.#options;
    try {
      const bytes = await this.#fetch(address, signal);
      onFetch?.("fetched", performance.now() - started);
      return bytes;
    } catch (error) {
      onFetch?.(toProblem(error).problem, performance.now() - started);
      throw error;
    }
  }

  async #fetch(address: string, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#options.hosts.none) throw refused("this service fetches no addresses");
    const url = this.#options.hosts.require(address);
    if (this.#open >= MOST_AT_ONCE) throw queueFull();
    this.#open++;
    const timeout = AbortSignal.timeout(this.#options.milliseconds);
    try {
      return await this.#follow(url, AbortSignal.any([signal, timeout]));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ProblemError) throw error;
      throw failed(url, timeout.aborted ? "it took too long" : reasonOf(error), error);
    } finally {
      this.#open--;
    }
  }

  async #follow(start: URL, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const { hosts, maxBytes, caCerts = [], connect } = this.#options;
    let url = start;
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const { hostname } = url;
      const destination = { hostname, port: Number(url.port || 443), caCerts };
      const connection = await connectPublicly(destination, signal, connect);
      const { status, location, body } = await httpsGet(url, connection, { maxBytes, signal });
      if (status === 200) return body;
      if (!REDIRECTS.has(status) || location === undefined) {
        throw failed(url, `it answered ${status}`);
      }
      url = hosts.require(location, url);
    }
    throw failed(start, `it redirects more than ${MOST_REDIRECTS} times`);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof TooLargeError) return "the image is too large";
  // What TLS finds wrong; a name that is not found and a closed port are an Error like any other.
  if (error instanceof Deno.errors.InvalidData) return "its certificate is not to be trusted";
  return "it cannot be reached";
}

/** The path and the query are left out: they may be a secret of the client's. */
function failed(url: URL, reason: string, cause?: unknown): ProblemError {
  return new ProblemError(
    "image-url-failed",
    `Cannot fetch the image from ${url.host}: ${reason}`,
    { cause },
  );
}
