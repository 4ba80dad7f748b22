import { parse } from "../../../shared/manifest.ts";
import { type CanaryReport, CanaryReportSchema } from "../../../shared/registry/canary.ts";

/** A running service, or the load balancer in front of several. */
export interface WatchedService {
  /** Its address, such as http://127.0.0.1:8000. */
  readonly url: string;
  /** Where the service asks for a key. */
  readonly apiKey?: string | undefined;
}

const TIMEOUT_MS = 10_000;

/**
 * What a service says of a model's canary.
 *
 * @throws {Error} when it cannot be asked, or answers otherwise than a service of topfive.
 */
export async function readServiceReport(
  { url, apiKey }: WatchedService,
  model: string,
): Promise<CanaryReport> {
  const address = new URL(`v2/models/${encodeURIComponent(model)}/canary`, withSlash(url));
  const response = await fetch(address, {
    headers: apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`Cannot watch ${url}: it answers ${response.status} ${text.slice(0, 200)}`);
  }
  return parse(`report of ${url}`, CanaryReportSchema, text);
}

function withSlash(url: string): string {
  return url.endsWith("/") ? url : `${url}/`;
}
