import { createHash } from "node:crypto";
import { AnswerCache } from "./answer_cache.ts";
import type { Canaries } from "./canary/canaries.ts";
import { heatMap } from "./heat_map.ts";
import type { ModelHost } from "./models/model_host.ts";
import type { ServedModel } from "./models/served_model.ts";
import { ProblemError, queueFull } from "./problem.ts";
import { topK } from "../shared/top_k.ts";
import type { DecodePool } from "./workers/decode_pool.ts";
import type { NetworkInputs } from "./workers/make_inputs.ts";
import { heat, PATCHES } from "./workers/occlusion.ts";
import { WorkerEndedError } from "./workers/task_worker.ts";

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

/** An answer and what a cache needs to know of it. */
export interface Answer {
  classification: Classification;
  etag: string;
  cached: boolean;
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
   * Answers one image; `signal` aborts when nobody waits for the answer any more.
   *
   * @throws {ImageError} when the bytes are no image, a broken one or one of too many pixels.
   * @throws {ProblemError} for an unknown model, a full queue or an image that is decoded too slowly.
   */
  async classify(bytes: Uint8Array, query: ClassifyQuery, signal?: AbortSignal): Promise<Answer> {
    const { host, canaries } = this.#options;
    const model = host.find(query.model, query.version);
    const canary = query.version === undefined ? canaries?.find(model.manifest.name) : undefined;
    if (canary === undefined) return await this.#ask(model, bytes, query, signal);
    return await canary.route(model, bytes, {
      forClient: (model) => this.#ask(model, bytes, query, signal),
      aside: (model) => this.#askAside(model, bytes, { ...query, explain: false }),
    });
  }

  async #ask(
    model: ServedModel,
    bytes: Uint8Array,
    query: ClassifyQuery,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const etag = etagOf(bytes, query, model);
    const known = this.#cache.get(etag);
    if (known) return { classification: known, etag, cached: true };
    const classification = await this.#admit(
      model,
      signal,
      (stop) => this.#answer(model, bytes, query, stop),
    );
    this.#cache.set(etag, classification);
    return { classification, etag, cached: false };
  }

  /** An answer that no client waits for: it takes no place in the queue. */
  #askAside(model: ServedModel, bytes: Uint8Array, query: ClassifyQuery): Promise<Classification> {
    const signal = AbortSignal.timeout(this.#options.deadlineMs);
    return model.using(() => this.#answer(model, bytes, query, signal));
  }

  /**
   * The network's whole answer [classes] to an encoded image, or to its own input
   * [channels, crop, crop]; throws as `classify` does.
   */
  probabilities(
    model: ServedModel,
    source: Uint8Array | Float32Array,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    return this.#admit(model, signal, async (stop) => {
      const input = source instanceof Float32Array
        ? source
        : (await this.#decode(model, source, { views: 1, explain: false }, stop)).values;
      return (await model.run(input, stop)).probabilities;
    });
  }

  /** Takes one image where there is room, within the deadline, and keeps its model for it. */
  async #admit<Result>(
    model: ServedModel,
    signal: AbortSignal | undefined,
    work: (stop: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    if (this.full) throw queueFull();
    this.#pending++;
    try {
      const timeout = AbortSignal.timeout(this.#options.deadlineMs);
      const stop = signal ? AbortSignal.any([signal, timeout]) : timeout;
      return await model.using(() => work(stop));
    } finally {
      this.#pending--;
    }
  }

  async #answer(
    model: ServedModel,
    bytes: Uint8Array,
    query: ClassifyQuery,
    signal: AbortSignal,
  ): Promise<Classification> {
    const { name, version, labels, output: { classes } } = model.manifest;
    const arrived = performance.now();
    const inputs = await this.#decode(model, bytes, query, signal);
    const { probabilities, milliseconds } = await runAll(model, inputs, signal);
    const answer = query.views === 10 ? mean(probabilities, classes) : probabilities;
    const best = topK(answer.subarray(0, classes), query.top);
    const total = performance.now() - arrived;
    return {
      model: name,
      version,
      variant: model.variant,
      runtime: model.runtime,
      predictions: best.filter(({ probability }) => probability >= query.threshold)
        .map(({ index, probability }) => ({ label: labels[index]!, index, probability })),
      ...(query.explain ? { heat_map: heatMap(heat(probabilities, classes), PATCHES) } : {}),
      timing: {
        queue_ms: rounded(Math.max(0, total - inputs.milliseconds - milliseconds)),
        decode_ms: rounded(inputs.milliseconds),
        inference_ms: rounded(milliseconds),
        total_ms: rounded(total),
      },
    };
  }

  async #decode(
    { manifest }: ServedModel,
    bytes: Uint8Array,
    { views, explain }: Pick<ClassifyQuery, "views" | "explain">,
    signal: AbortSignal,
  ): Promise<NetworkInputs> {
    const { decoders, maxPixels } = this.#options;
    try {
      return await decoders.decode({
        bytes,
        spec: manifest.preprocess,
        maxPixels,
        views: explain ? "occluded" : views === 10 ? "ten" : "centre",
      }, signal);
    } catch (error) {
      if (!(error instanceof WorkerEndedError)) throw error;
      throw new ProblemError("image-too-slow", "Cannot decode the image in time", { cause: error });
    }
  }
}

/** All inputs of one image; the milliseconds are those of the runs, one after the other. */
async function runAll(model: ServedModel, { values, count }: NetworkInputs, signal: AbortSignal) {
  const length = values.length / count;
  const runs = await Promise.all(
    Array.from(
      { length: count },
      (_, index) => model.run(values.subarray(index * length, (index + 1) * length), signal),
    ),
  );
  const classes = runs[0]!.probabilities.length;
  const probabilities = new Float32Array(classes * count);
  runs.forEach((run, index) => probabilities.set(run.probabilities, index * classes));
  // Inputs of one batch share its time.
  const milliseconds = runs.reduce((sum, run) => sum + run.milliseconds / run.batch, 0);
  return { probabilities, milliseconds: count === 1 ? runs[0]!.milliseconds : milliseconds };
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
