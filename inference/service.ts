import { openStore } from "../shared/object_store/open_store.ts";
import type { Config } from "./config.ts";
import type { Log } from "./log.ts";
import { memoryLimit } from "./models/choose_variant.ts";
import { ModelHost } from "./models/model_host.ts";
import type { ServedModel } from "./models/served_model.ts";
import { readTrustedKeys } from "./models/trusted_keys.ts";
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

/**
 * Begins to load the models, and while another thread reads their weights the code that answers
 * requests, half as much work; the caller listens.
 *
 * @throws {SyntaxError} when other machines could ask without a key and nobody said they may.
 */
export async function startService(config: Config, log: Log): Promise<Service> {
  const started = performance.now();
  const milliseconds = config.deadlineSeconds * 1000;
  const decoders = new DecodePool({ workers: config.decoders, milliseconds });
  const store = openStore(config.store);
  const opened = Promise.withResolvers<void>();
  const loads = Promise.withResolvers<(model: string, outcome: "loaded" | "refused") => void>();
  const host = new ModelHost({
    store,
    address: config.store,
    weightsCache: cacheOf(config),
    trustedKeys: readTrustedKeys(config.requireSignature),
    models: config.model,
    version: config.version,
    variant: config.variant,
    memory: config.memory ?? memoryLimit(),
    maxModelBytes: config.maxModelBytes,
    run: {
      runtime: config.runtime,
      threads: config.threads,
      maxBatch: config.maxBatch,
      maxDelayMs: config.maxDelayMs,
      runMs: milliseconds,
    },
    decoders,
    log,
    onOpen: opened.resolve,
    onLoad: (model, outcome) => void loads.promise.then((count) => count(model, outcome)),
  });
  const close = async () => {
    await host.close();
    decoders.close();
  };
  const loading = host.start();
  // Whoever waits for `ready` is told.
  loading.catch(opened.resolve);
  try {
    await opened.promise;
    const { assemble } = await import("./assemble.ts");
    const { app, metrics, drain, canaries } = assemble(config, { host, decoders, store, log });
    // Before there was other work for both processors.
    decoders.warm();
    loads.resolve((model, outcome) => metrics.loaded(model, outcome));
    let timer: ReturnType<typeof setInterval> | undefined;
    const follow = () => {
      const every = config.pollSeconds * 1000;
      if (every === 0 || config.version !== undefined) return;
      timer = setInterval(() => void host.poll().then(() => canaries.poll()), every);
      void canaries.poll();
    };
    const ready = loading.then((model) => {
      logReady(log, model, started);
      follow();
      return model;
    });
    return {
      fetch: (request, info) => app.fetch(request, info),
      ready,
      drain: () => drain.begin(),
      close: () => {
        clearInterval(timer);
        return close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @param started milliseconds from the start of the process until our own code began */
function logReady(log: Log, { manifest: { name, version } }: ServedModel, started: number): void {
  const models_ms = Math.round(performance.now() - started);
  log.info("ready", { model: name, version, start_ms: Math.round(started), models_ms });
}

function cacheOf({ weightsCache: folder, weightsCacheBytes: maxBytes, json }: Config) {
  return folder === undefined ? undefined : { folder, maxBytes, json };
}
