import { createHash } from "node:crypto";
import { AnswerCache } from "./answer_cache.ts";
import type { Canaries } from "./canary/canaries.ts";
import { heatMap } from "./heat_map.ts";
import { type ImageTask, type ImageWork, runImage } from "./image_work.ts";
import type { ModelHost } from "./models/model_host.ts";
import type { LoadStages } from "./models/open_worker.ts";
import type { ServedModel } from "./models/served_model.ts";
import { queueFull } from "./problem.ts";
import { topK } from "../shared/top_k.ts";
import { now, type Stage, total } from "./telemetry/stages.ts";
import type { DecodePool } from "./workers/decode_pool.ts";

/** One class of the answer, best first. */
export interface Prediction {
  label: string;
  /** The class's place in the network's output, from 0. */
  index: number;
  /** 0 to 1. */
  probability: number;
}

/** The answer to one image. */
export interface Classification {
  model: string;
  version: string;
  /** The form of the weights that answered: "original", "int8" … */
  variant: string;
  /** The engine that ran it, such as "onnxruntime-web". */
  runtime: string;
  predictions: Prediction[];
  /** A PNG as data URL, where it was asked for. */
  heat_map?: string;
  timing: Timing;
}

/** Milliseconds, to a hundredth. */
export interface Timing {
  /** Waiting for a decoder, for company and for the runs before. */
  queue_ms: number;
  /** Bytes to tensor: decode, resize, crop, normalise. */
  decode_ms: number;
  /** The network's run, whole also where the image shared it with others. */
  inference_ms: number;
  /** From the complete body to the answer. */
  total_ms: number;
}

/** What a client asks of one image. */
export interface ClassifyQuery {
  /** Classes in the answer; all of them when there are fewer. */
  top: number;
  model?: string | undefined;
  version?: string | undefined;
  /** 10: corners, centre and their reflections, averaged. */
  views: 1 | 10;
  /** Classes less probable are left out. */
  threshold: number;
  explain: boolean;
}

/** An answer and what a cache and a log need to know of it. */
export interface Answer {
  classification: Classification;
  etag: string;
  cached: boolean;
  /** None where the answer was at hand. */
  stages: readonly Stage[];
  /** How the version was loaded, where this is the first that it answered. */
  coldStart?: LoadStages | undefined;
}

/** How an image is asked about. */
export interface AskOptions {
  /** Aborts when nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
  /** Nobody else needs the bytes: where they are a whole buffer, they are gone afterwards. */
  readonly move?: boolean;
}

/** Told what became of each image, and of the milliseconds since it arrived. */
export interface ImageWatcher {
  answered(model: ServedModel, work: ImageWork, milliseconds: number): void;
  cached(model: ServedModel, milliseconds: number): void;
  failed(model: ServedModel, error: unknown, milliseconds: number): void;
}

/** The bounds of a classifier. */
export interface ClassifierOptions {
  host: ModelHost;
  decoders: DecodePool;
  /** Images that were taken and not yet answered; more are refused. */
  queueCapacity: number;
  /** Most pixels of an image, read from its header before anything is decoded. */
  maxPixels: number;
  /** Longest time for one image. */
  deadlineMs: number;
  cacheEntries: number;
  /** Candidates that take a share of the requests, or are compared with the answers. */
  canaries?: Pick<Canaries, "find">;
  /** All of them are told; in a service these are its metrics and its traces. */
  watchers?: readonly ImageWatcher[];
}

/** Image bytes to the best labels: the service's whole stream. */
export class Classifier {
  readonly #options: ClassifierOptions;
  readonly #cache: AnswerCache<Classification>;
  #pending = 0;

  constructor(options: ClassifierOptions) {
    this.#options = options;
    this.#cache = new AnswerCache(options.cacheEntries);
  }

  /** Images that were taken and not yet answered. */
  get pending(): number {
    return this.#pending;
  }

  /** True when `classify` would be refused: a caller need not even read the body. */
  get full(): boolean {
    return this.#pending >= this.#options.queueCapacity;
  }

  /**
   * Answers one image.
   *
   * @throws {ImageError} when the bytes are no image, a broken one or one of too many pixels.
   * @throws {ProblemError} for an unknown model, a full queue or an image that is decoded too slowly.
   */
  async classify(
    bytes: Uint8Array<ArrayBuffer>,
    query: ClassifyQuery,
    options: AskOptions = {},
  ): Promise<Answer> {
    const { host, canaries } = this.#options;
    const model = host.find(query.model, query.version);
    const canary = query.version === undefined ? canaries?.find(model.manifest.name) : undefined;
    if (canary === undefined) return await this.#ask(model, bytes, query, options);
    // Another model may be asked about the same image afterwards.
    const kept = { ...options, move: false };
    return await canary.route(model, bytes, {
      forClient: (model) => this.#ask(model, bytes, query, kept),
      aside: (model) => this.#askAside(model, bytes, { ...query, explain: false }),
    });
  }

  async #ask(
    model: ServedModel,
    bytes: Uint8Array<ArrayBuffer>,
    query: ClassifyQuery,
    { signal, move = false }: AskOptions,
  ): Promise<Answer> {
    const { watchers = [] } = this.#options;
    const arrivedAt = now();
    const etag = etagOf(bytes, query, model);
    const known = this.#cache.get(etag);
    if (known) {
      for (const watcher of watchers) watcher.cached(model, now() - arrivedAt);
      return { classification: known, etag, cached: true, stages: [] };
    }
    const coldStart = model.statistics.success.count === 0 ? model.stages : undefined;
    const { answer, stages } = await this.#admit(
      model,
      // A heat map is drawn over the image.
      { source: bytes, move: move && !query.explain, views: viewsOf(query), arrivedAt },
      signal,
      (work) => ({
        ...describe(model, query, work, now() - arrivedAt),
        ...(query.explain ? { heat_map: heatMap(bytes, work.probabilities, model.manifest) } : {}),
      }),
    );
    this.#cache.set(etag, answer);
    return { classification: answer, etag, cached: false, stages, coldStart };
  }

  /** An answer that no client waits for: it takes no place in the queue and is counted nowhere. */
  async #askAside(
    model: ServedModel,
    bytes: Uint8Array<ArrayBuffer>,
    query: ClassifyQuery,
  ): Promise<Classification> {
    const { decoders, maxPixels, deadlineMs } = this.#options;
    const arrivedAt = now();
    const task = { source: bytes, views: viewsOf(query), maxPixels, arrivedAt };
    const signal = AbortSignal.timeout(deadlineMs);
    const work = await model.using(() => runImage(model, decoders, task, signal));
    return describe(model, query, work, now() - arrivedAt);
  }

  /**
   * The network's whole answer [classes] to an encoded image, or to its own input
   * [channels, crop, crop]; throws as `classify` does.
   */
  probabilities(
    model: ServedModel,
    source: Uint8Array<ArrayBuffer> | Float32Array,
    signal?: AbortSignal,
  ): Promise<{ answer: Float32Array; stages: readonly Stage[] }> {
    const task = { source, views: "centre", arrivedAt: now() } as const;
    return this.#admit(model, task, signal, ({ probabilities }) => probabilities);
  }

  /** Takes one image where there is room, within the deadline, and keeps its model for it. */
  async #admit<Result>(
    model: ServedModel,
    task: Omit<ImageTask, "maxPixels">,
    signal: AbortSignal | undefined,
    answerOf: (work: ImageWork) => Result,
  ): Promise<{ answer: Result; stages: readonly Stage[] }> {
    const { watchers = [], decoders, deadlineMs, maxPixels } = this.#options;
    try {
      if (this.full) throw queueFull();
      this.#pending++;
      try {
        const timeout = AbortSignal.timeout(deadlineMs);
        const stop = signal ? AbortSignal.any([signal, timeout]) : timeout;
        const work = await model.using(() =>
          runImage(model, decoders, { ...task, maxPixels }, stop)
        );
        const answer = answerOf(work);
        const milliseconds = now() - task.arrivedAt;
        for (const watcher of watchers) watcher.answered(model, work, milliseconds);
        return { answer, stages: work.stages };
      } finally {
        this.#pending--;
      }
    } catch (error) {
      for (const watcher of watchers) watcher.failed(model, error, now() - task.arrivedAt);
      throw error;
    }
  }
}

function viewsOf({ explain, views }: ClassifyQuery): ImageTask["views"] {
  return explain ? "occluded" : views === 10 ? "ten" : "centre";
}

function describe(
  { manifest: { name, version, labels, output: { classes } }, variant, runtime }: ServedModel,
  query: ClassifyQuery,
  { probabilities, stages }: ImageWork,
  milliseconds: number,
): Classification {
  const answer = query.views === 10 ? mean(probabilities, classes) : probabilities;
  const best = topK(answer.subarray(0, classes), query.top);
  const decoding = total(stages, "decode") + total(stages, "preprocess");
  const running = total(stages, "run");
  return {
    model: name,
    version,
    variant,
    runtime,
    predictions: best.filter(({ probability }) => probability >= query.threshold)
      .map(({ index, probability }) => ({ label: labels[index]!, index, probability })),
    timing: {
      // All waiting: queues, and messages between threads.
      queue_ms: rounded(Math.max(0, milliseconds - decoding - running)),
      decode_ms: rounded(decoding),
      inference_ms: rounded(running),
      total_ms: rounded(milliseconds),
    },
  };
}

function mean(probabilities: Float32Array, classes: number): Float32Array {
  const result = new Float32Array(classes);
  for (let at = 0; at < probabilities.length; at++) {
    const index = at % classes;
    result[index] = result[index]! + probabilities[at]! * classes / probabilities.length;
  }
  return result;
}

/** Of the image, the model and the question: what the answer follows from. */
function etagOf(bytes: Uint8Array, query: ClassifyQuery, { manifest }: ServedModel): string {
  const { top, views, threshold, explain } = query;
  const question = [
    manifest.name,
    manifest.version,
    manifest.weights.sha256,
    top,
    views,
    threshold,
  ];
  const hash = createHash("sha256").update(bytes).update([...question, explain].join("\n"));
  return `"${hash.digest("base64url")}"`;
}

function rounded(duration: number): number {
  return Math.round(duration * 100) / 100;
}
