import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Canaries } from "../canary/canaries.ts";
import type { Classifier, ImageWatcher } from "../classifier.ts";
import type { ImageWork } from "../image_work.ts";
import type { ModelHost } from "../models/model_host.ts";
import type { ServedModel } from "../models/served_model.ts";
import { toProblem } from "../problem.ts";
import type { DecodePool } from "../workers/decode_pool.ts";
import { registerProcessMetrics } from "./process_metrics.ts";
import { registerTritonMetrics } from "./triton_metrics.ts";

/** What gauges look at when somebody reads the metrics. */
export interface Watched {
  readonly host: ModelHost;
  readonly classifier: Classifier;
  readonly decoders: DecodePool;
  readonly canaries: Canaries;
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

  constructor() {
    registerProcessMetrics(this.#registry);
  }

  /** Begins to show the state of these; called once. */
  watch({ host, classifier, decoders, canaries }: Watched): void {
    registerTritonMetrics(this.#registry, () => host.loaded());
    this.#gauge("topfive_images_pending", "Images taken and not yet answered", [], (gauge) => {
      gauge.set(classifier.pending);
    });
    this.#gauge(
      "topfive_model_state",
      "1 for the state that each version is in",
      ["model", "version", "state"],
      (gauge) => {
        for (const { name, version, state } of host.states()) {
          gauge.set({ model: name, version, state: state.toLowerCase() }, 1);
        }
      },
    );
    this.#gauge(
      "topfive_model_load_seconds",
      "Stages of a version's cold start",
      ["model", "version", "stage"],
      (gauge) => {
        for (const { manifest: { name: model, version }, stages } of host.loaded()) {
          for (const [stage, milliseconds] of Object.entries(stages)) {
            gauge.set({ model, version, stage: stage.replace(/_ms$/, "") }, milliseconds / 1000);
          }
        }
      },
    );
    this.#gauge(
      "topfive_model_created_timestamp_seconds",
      "When a loaded version was made, in seconds since 1970: how old the champion is",
      ["model", "version"],
      (gauge) => {
        for (const { manifest: { name: model, version, createdAt } } of host.loaded()) {
          gauge.set({ model, version }, Date.parse(createdAt) / 1000);
        }
      },
    );
    this.#gauge(
      "topfive_canary_compared_images",
      "Images that a candidate and its champion both answered, by whether they agreed",
      ["model", "outcome"],
      (gauge) => {
        for (const { model, canary } of canaries.reports()) {
          const { agreed = 0, differed = 0, newClass = 0 } = canary?.compared ?? {};
          gauge.set({ model, outcome: "agreed" }, agreed);
          gauge.set({ model, outcome: "differed" }, differed);
          gauge.set({ model, outcome: "new_class" }, newClass);
        }
      },
    );
    const replaced = this.#counter(
      "topfive_decoders_replaced_total",
      "Decoders that were ended because they took too long or broke",
      [],
      () => {
        replaced.reset();
        replaced.inc(decoders.replaced);
      },
    );
  }

  request({ route, method, status, milliseconds, problem }: RequestOutcome): void {
    this.#requests.inc({ route, method: METHODS.has(method) ? method : "other", status });
    this.#seconds.observe({ route }, milliseconds / 1000);
    if (problem !== undefined) this.#problems.inc({ problem });
  }

  loaded(model: string, outcome: "loaded" | "refused"): void {
    this.#loads.inc({ model, outcome });
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

  #counter(name: string, help: string, labelNames: string[], collect?: () => void): Counter {
    const registers = [this.#registry];
    return new Counter({ name, help, labelNames, registers, ...(collect ? { collect } : {}) });
  }

  #histogram(name: string, help: string, labelNames: string[], buckets: number[]): Histogram {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.#registry] });
  }

  /** `collect` sets all values anew at each reading. */
  #gauge(name: string, help: string, labelNames: string[], collect: (gauge: Gauge) => void): void {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        collect(this);
      },
    });
  }
}
