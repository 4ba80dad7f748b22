import { preprocess } from "../shared/image/preprocess.ts";
import { topK } from "../shared/top_k.ts";
import type { LoadedModel } from "./model_loader.ts";
import { RunQueue } from "./run_queue.ts";

/** One class of the answer, best first. */
export interface Prediction {
  label: string;
  /** The class's place in the network's output, from 0. */
  index: number;
  /** 0 to 1. */
  probability: number;
}

/** The answer to one image, as `POST /v1/classify` sends it. */
export interface Classification {
  model: string;
  version: string;
  predictions: Prediction[];
  timing: Timing;
}

/** Milliseconds, to a hundredth. */
export interface Timing {
  /** Waiting for the images before this one. */
  queue_ms: number;
  /** Bytes to tensor: decode, resize, crop, normalise. */
  decode_ms: number;
  /** The network's run. */
  inference_ms: number;
  /** From the complete body to the answer. */
  total_ms: number;
}

/** The bounds of one classifier. */
export interface ClassifierOptions {
  /** Images waiting or running; more are refused. */
  queueCapacity: number;
  /** Most pixels of an image, read from its header before anything is decoded. */
  maxPixels: number;
}

/** Image bytes to the best labels: the service's whole stream, one image at a time. */
export class Classifier {
  readonly model: LoadedModel;
  readonly #queue: RunQueue;
  readonly #maxPixels: number;

  constructor(model: LoadedModel, { queueCapacity, maxPixels }: ClassifierOptions) {
    this.model = model;
    this.#queue = new RunQueue(queueCapacity);
    this.#maxPixels = maxPixels;
  }

  /** True when `classify` would be refused: a caller need not even read the body. */
  get full(): boolean {
    return this.#queue.full;
  }

  /**
   * The `top` best classes; all of them when there are fewer.
   * @throws {ImageError} when the bytes are no image, a broken one or one of too many pixels.
   * @throws {QueueFullError} when too many images are waiting.
   */
  classify(bytes: Uint8Array, top: number): Promise<Classification> {
    const { manifest, session } = this.model;
    const arrived = performance.now();
    return this.#queue.run(async () => {
      const started = performance.now();
      const tensor = await preprocess(bytes, manifest.preprocess, { maxPixels: this.#maxPixels });
      const decoded = performance.now();
      const probabilities = await session.run(tensor, 1);
      const ended = performance.now();
      const best = topK(probabilities, top);
      return {
        model: manifest.name,
        version: manifest.version,
        predictions: best.map(({ index, probability }) => ({
          label: manifest.labels[index]!,
          index,
          probability,
        })),
        timing: {
          queue_ms: milliseconds(started - arrived),
          decode_ms: milliseconds(decoded - started),
          inference_ms: milliseconds(ended - decoded),
          total_ms: milliseconds(ended - arrived),
        },
      };
    });
  }

  /** Waits for the images that were taken, then frees the model. */
  async close(): Promise<void> {
    await this.#queue.idle();
    await this.model.session.close();
  }
}

function milliseconds(duration: number): number {
  return Math.round(duration * 100) / 100;
}
