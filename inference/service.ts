import { DirectoryStore } from "../shared/object_store/directory.ts";
import type { ObjectStore } from "../shared/object_store/object_store.ts";
import { openStore } from "../shared/object_store/open_store.ts";
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
import { memoryLimit } from "./models/choose_variant.ts";
import { withWeightsCache } from "./models/weights_cache.ts";
import { ModelHost } from "./models/model_host.ts";
import type { ServedModel } from "./models/served_model.ts";
import { readTrustedKeys } from "./models/trusted_keys.ts";
import { Metrics } from "./telemetry/metrics.ts";
import { Spans } from "./telemetry/spans.ts";
import { DecodePool } from "./workers/decode_pool.ts";

/** A service that answers from its first moment and classifies once its model is loaded. */
export interface Service {
  fetch: (request: Request, info?: Deno.ServeHandlerInfo) => Response | Promise<Response>;
  /** Resolves with the first model when all are loaded; rejects when one cannot be. */
  ready: Promise<ServedModel>;
  /** Refuses new requests; resolves when the open ones are answered. */
  drain(): Promise<void>;
  /** Ends the workers. */
  close(): Promise<void>;
}

/** Puts the parts together and begins to load the models; the caller listens. */
export function startService(config: Config, log: Log): Service {
  const started = performance.now();
  const metrics = new Metrics();
  const deadlineMs = config.deadlineSeconds * 1000;
  const decoders = new DecodePool({ workers: config.decoders, milliseconds: deadlineMs });
  const store = storeOf(config, log);
  const host = new ModelHost({
    store,
    address: config.store,
    trustedKeys: readTrustedKeys(config.requireSignature),
    models: config.model,
    version: config.version,
    variant: config.variant,
    memory: config.memory ?? memoryLimit(),
    maxModelBytes: config.maxModelBytes,
    run: {
      runtime: config.runtime,
      threads: config.threads,
      workers: config.threads,
      maxBatch: config.maxBatch,
      maxDelayMs: config.maxDelayMs,
      runMs: deadlineMs,
    },
    decoders,
    log,
    onLoad: (model, outcome) => metrics.loaded(model, outcome),
  });
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
  let timer: ReturnType<typeof setInterval> | undefined;
  const ready = host.start().then((model) => {
    const { name, version } = model.manifest;
    log.info("ready", {
      model: name,
      version,
      // From the start of the process: the runtime, our own code, then the models.
      start_ms: Math.round(started),
      models_ms: Math.round(performance.now() - started),
    });
    const milliseconds = config.pollSeconds * 1000;
    if (milliseconds > 0 && config.version === undefined) {
      const follow = () => host.poll().then(() => canaries.poll());
      timer = setInterval(() => void follow(), milliseconds);
      void canaries.poll();
    }
    return model;
  });
  return {
    fetch: (request, info) => app.fetch(request, info),
    ready,
    drain: () => drain.begin(),
    close: async () => {
      clearInterval(timer);
      await host.close();
      decoders.close();
    },
  };
}

/** The store, with its weights kept on the disk where a folder is named. */
function storeOf({ store, weightsCache, weightsCacheBytes }: Config, log: Log): ObjectStore {
  const origin = openStore(store);
  if (weightsCache === undefined) return origin;
  const folder = new DirectoryStore(weightsCache);
  return withWeightsCache(origin, { folder, maxBytes: weightsCacheBytes, log });
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
