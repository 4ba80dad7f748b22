import { openStore } from "../shared/object_store/open_store.ts";
import { createApp } from "./app.ts";
import { Classifier } from "./classifier.ts";
import type { Config } from "./config.ts";
import type { Log } from "./log.ts";
import { Drain } from "./middleware/drain.ts";
import { type LoadedModel, loadModel } from "./model_loader.ts";

/** A service that answers from its first moment and classifies once its model is loaded. */
export interface Service {
  fetch: (request: Request) => Response | Promise<Response>;
  /** Resolves with the model when images can be classified; rejects when it cannot be loaded. */
  ready: Promise<LoadedModel>;
  /** Refuses new requests; resolves when the open ones are answered. */
  drain(): Promise<void>;
  /** Waits for the images that were taken, then frees the model. */
  close(): Promise<void>;
}

/** Puts the parts together and begins to load the model; the caller listens. */
export function startService(config: Config, log: Log): Service {
  let classifier: Classifier | undefined;
  const drain = new Drain();
  const app = createApp({
    classifier: () => classifier,
    maxBodyBytes: config.maxBodyBytes,
    log,
    drain,
  });
  const ready = loadModel(openStore(config.store), config).then((model) => {
    classifier = new Classifier(model, config);
    const { name, version } = model.manifest;
    log.info("ready", { model: name, version, ...model.stages });
    return model;
  });
  return {
    fetch: (request) => app.fetch(request),
    ready,
    drain: () => drain.begin(),
    close: async () => await classifier?.close(),
  };
}
