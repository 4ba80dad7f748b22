import { createHash } from "node:crypto";
import { type SniffedFormat, sniffFormat } from "../../shared/image/sniff.ts";
import { addressBelow, openStore } from "../../shared/object_store/open_store.ts";
import {
  type ObjectStore,
  PreconditionFailedError,
} from "../../shared/object_store/object_store.ts";
import type { Prediction } from "../classifier.ts";

/** Below it retraining looks for new images: `incoming/<model>/`. */
const FOLDER = "incoming";

/** What a person said about an answer. */
export interface Correction {
  readonly model: string;
  readonly image: Uint8Array;
  /** What the image shows. */
  readonly label: string;
  /** The version that answered, and what it said, best first. */
  readonly version: string;
  readonly answered: readonly Prediction[];
}

/** Where a correction lies, and whether it is this one: the first about an image is kept. */
export interface Kept {
  readonly sha256: string;
  readonly stored: boolean;
}

/** Where a store keeps what comes in: the only place that a service writes to. */
export function incomingAddress(store: string): string {
  return addressBelow(store, FOLDER);
}

/**
 * Corrections as retraining reads them: the image as it came, at
 * `incoming/<model>/<sha256>.<ext>`, and what is known of it at `incoming/<model>/<sha256>.json`. That
 * one is written last: an image without it is not there yet.
 */
export class Incoming {
  readonly #store: ObjectStore;

  /** `store` is that of `incomingAddress`. */
  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** Opens the place for corrections in a store. */
  static open(store: string): Incoming {
    return new Incoming(openStore(incomingAddress(store)));
  }

  /** Keeps a correction; sent again it changes nothing. */
  async keep({ model, image, ...said }: Correction): Promise<Kept> {
    const sha256 = createHash("sha256").update(image).digest("hex");
    const extension = EXTENSIONS[sniffFormat(image)!];
    await this.#putOnce(`${model}/${sha256}.${extension}`, image);
    const sidecar = {
      label: said.label,
      at: new Date().toISOString(),
      source: "feedback",
      version: said.version,
      answered: said.answered,
    };
    const text = `${JSON.stringify(sidecar, null, 2)}\n`;
    const stored = await this.#putOnce(
      `${model}/${sha256}.json`,
      new TextEncoder().encode(text),
    );
    return { sha256, stored };
  }

  /** False when the key was taken. */
  async #putOnce(key: string, bytes: Uint8Array): Promise<boolean> {
    try {
      await this.#store.put(key, bytes, { ifNoneMatch: "*" });
      return true;
    } catch (error) {
      if (error instanceof PreconditionFailedError) return false;
      throw error;
    }
  }
}

const EXTENSIONS: Readonly<Record<SniffedFormat, string>> = {
  jpeg: "jpg",
  png: "png",
  gif: "gif",
  webp: "webp",
  bmp: "bmp",
  tiff: "tiff",
  avif: "avif",
  heic: "heic",
};
