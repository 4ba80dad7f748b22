import type { ObjectStore } from "../shared/object_store/object_store.ts";
import { createApp } from "./app.ts";
import { Canaries } from "./canary/canaries.ts";
import { Classifier } from "./classifier.ts";
import type { Config } from "./config.ts";
import { Incoming } from "./feedback/incoming.ts";
import { AllowedHosts } from "./fetch_image/allowed_hosts.ts";
import { ImageFetcher } from "./fetch_image/image_fetcher.ts";
import type { Log } from "./log.ts";
import { parseApiKeys } from "./middleware/api_keys.ts";
import { Drain } from "./middleware/drain.ts";
import { Guard } from "./middleware/guard.ts";
import type { ModelHost } from "./models/model_host.ts";
import { Metrics } from "./telemetry/metrics.ts";
import { Spans } from "./telemetry/spans.ts";
import type { DecodePool } from "./workers/decode_pool.ts";

/** What was begun before the app's code was there. */
export interface Begun {
  readonly host: ModelHost;
  readonly decoders: DecodePool;
  readonly store: ObjectStore;
  readonly log: Log;
}

/**
 * Puts the parts of a service together.
 *
 * @throws {SyntaxError} when other machines could ask without a key and nobody said they may.
 */
export function assemble(config: Config, { host, decoders, store, log }: Begun) {
  const metrics = new Metrics();
  const deadlineMs = config.deadlineSeconds * 1000;
  const canaries = new Canaries({ store, host, log, idle: () => classifier.pending === 0 });
  const watchers = [metrics, new Spans()];
  const classifier: Classifier = new Classifier({
    ...config,
    ...{ host, decoders, deadlineMs, canaries, watchers },
  });
  const fetcher = new ImageFetcher({
    hosts: new AllowedHosts(config.fetchHosts),
    maxBytes: config.maxBodyBytes,
    milliseconds: deadlineMs,
    onFetch: (outcome, milliseconds) => metrics.fetched(outcome, milliseconds),
  });
  metrics.watch({ host, classifier, decoders, canaries });
  const drain = new Drain();
  const app = createApp({
    ...config,
    store,
    guard: guardOf(config),
    classifier,
    host,
    canaries,
    fetcher,
    incoming: config.feedback ? Incoming.open(config.store) : undefined,
    log,
    metrics,
    drain,
  });
  return { app, metrics, drain, canaries };
}

const LOOPBACK = ["127.0.0.1", "::1", "localhost"];

/** @throws {SyntaxError} when other machines could ask without a key and nobody said they may. */
function guardOf({ apiKeys, corsOrigins, host, open, ...rest }: Config): Guard {
  const keys = parseApiKeys(apiKeys);
  if (keys.length === 0 && !open && !LOOPBACK.includes(host)) {
    throw new SyntaxError(
      `Cannot listen on ${host} without API keys: whoever reaches it could ask ` +
        "(make one with topfive api-key, or say --open)",
    );
  }
  return new Guard({
    ...rest,
    apiKeys: keys,
    open,
    corsOrigins: corsOrigins.split(",").filter(Boolean),
  });
}
