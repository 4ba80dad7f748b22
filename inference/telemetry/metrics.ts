import { Counter, Histogram, Registry } from "./prometheus.ts";
import type { Canaries } from "../canary/canaries.ts";
import type { Classifier, ImageWatcher } from "../classifier.ts";
import type { ImageWork } from "../image_work.ts";
import type { ModelHost } from "../models/model_host.ts";
import type { ServedModel } from "../models/served_model.ts";
import { toProblem } from "../problem.ts";
import type { DecodePool } from "../workers/decode_pool.ts";
import { registerCanaryMetrics } from "./canary_metrics.ts";
import { collectedCounter, collectedGauge } from "./collected.ts";
import { registerModelMetrics } from "./model_metrics.ts";
import { registerProcessMetrics } from "./process_metrics.ts";
import { registerTritonMetrics } from "./triton_metrics.ts";

/** What gauges look at when somebody reads the metrics. */
export interface Watched {
  readonly host: ModelHost;
  readonly canaries: Canaries;
  readonly classifier: Classifier;
  readonly decoders: DecodePool;
}

/** A request as its line in the log and the metrics have it. */
export interface RequestOutcome {
  /** The pattern of the address, such as `/v2/models/:model/infer`: addresses themselves are endless. */
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly milliseconds: number;
  /** The last segment of the problem's type, where the answer is one. */
  readonly problem: string | undefined;
}

/** Seconds: a small network's run takes 1 ms, a deadline is 10 s. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const BATCHES = [1, 2, 4, 8, 16, 32, 64];
/** A method is the client's to invent. */
const METHODS = new Set(["GET", "HEAD", "POST", "OPTIONS"]);

/**
 * What the service counts, in Prometheus' text format. Every label has a bounded set of values: routes,
 * problems, stages, and the models and versions that are loaded.
 */
export class Metrics implements ImageWatcher {
  readonly #registry = new Registry();
  readonly #requests = this.#counter("topfive_http_requests_total", "Requests answered", [
    "route",
    "method",
    "status",
  ]);
  readonly #seconds = this.#histogram(
    "topfive_http_request_duration_seconds",
    "From a request's head to its answer",
    ["route"],
    SECONDS,
  );
  readonly #problems = this.#counter(
    "topfive_problems_total",
    "Requests answered with a problem, by the last segment of its type",
    ["problem"],
  );
  readonly #images = this.#counter(
    "topfive_images_total",
    "Images by what became of them: answered, cached, or the problem they met",
    ["model", "outcome"],
  );
  readonly #stages = this.#histogram(
    "topfive_stage_duration_seconds",
    "Parts of the work on an image; it queues for a decoder and for the network",
    ["model", "stage"],
    SECONDS,
  );
  readonly #batches = this.#histogram(
    "topfive_batch_size",
    "Inputs of one run of the network",
    ["model"],
    BATCHES,
  );
  readonly #loads = this.#counter(
    "topfive_model_loads_total",
    "Versions that were loaded, or refused because something is wrong with them",
    ["model", "outcome"],
  );
  readonly #feedback = this.#counter(
    "topfive_feedback_total",
    "Corrections by people: stored, or of an image that had one already",
    ["model", "outcome"],
  );
  readonly #fetches = this.#histogram(
    "topfive_fetch_duration_seconds",
    "Images named by address, by what became of them: fetched, or the problem they met",
    ["outcome"],
    SECONDS,
  );

  constructor() {
    registerProcessMetrics(this.#registry);
  }

  /** Begins to show the state of these; called once. */
  watch({ host, canaries, classifier, decoders }: Watched): void {
    registerTritonMetrics(this.#registry, () => host.loaded());
    registerModelMetrics(this.#registry, host);
    registerCanaryMetrics(this.#registry, () => canaries.reports());
    collectedGauge(this.#registry, {
      name: "topfive_images_pending",
      help: "Images taken and not yet answered",
      collect: (tell) => tell({}, classifier.pending),
    });
    collectedCounter(this.#registry, {
      name: "topfive_decoders_replaced_total",
      help: "Decoders that were ended because they took too long or broke",
      collect: (tell) => tell({}, decoders.replaced),
    });
  }

  request({ route, method, status, milliseconds, problem }: RequestOutcome): void {
    this.#requests.inc({ route, method: METHODS.has(method) ? method : "other", status });
    this.#seconds.observe({ route }, milliseconds / 1000);
    if (problem !== undefined) this.#problems.inc({ problem });
  }

  loaded(model: string, outcome: "loaded" | "refused"): void {
    this.#loads.inc({ model, outcome });
  }

  fetched(outcome: string, milliseconds: number): void {
    this.#fetches.observe({ outcome }, milliseconds / 1000);
  }

  feedback(model: string, outcome: "stored" | "known"): void {
    this.#feedback.inc({ model, outcome });
  }

  answered(model: ServedModel, { stages, runs }: ImageWork, milliseconds: number): void {
    const { name } = model.manifest;
    model.statistics.answered(stages, runs, milliseconds);
    this.#images.inc({ model: name, outcome: "answered" });
    for (const { name: stage, milliseconds } of stages) {
      this.#stages.observe({ model: name, stage }, milliseconds / 1000);
    }
    for (const { first, batch } of runs) if (first) this.#batches.observe({ model: name }, batch);
  }

  cached(model: ServedModel, milliseconds: number): void {
    model.statistics.cached(milliseconds);
    this.#images.inc({ model: model.manifest.name, outcome: "cached" });
  }

  failed(model: ServedModel, error: unknown, milliseconds: number): void {
    model.statistics.failure.add(milliseconds);
    this.#images.inc({ model: model.manifest.name, outcome: toProblem(error).problem });
  }

  /** The text that Prometheus reads, and its content type. */
  async text(): Promise<{ text: string; contentType: string }> {
    return { text: await this.#registry.metrics(), contentType: this.#registry.contentType };
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #histogram(name: string, help: string, labelNames: string[], buckets: number[]): Histogram {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.#registry] });
  }
}
