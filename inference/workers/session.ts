import { leanSession } from "../lean/lean_session.ts";
import { UnsupportedError } from "../lean/unsupported.ts";
import type { WeightsFile } from "../onnxruntime/weights_file.ts";
import type { Runtime } from "./runtimes.ts";
import type { ModelManifest } from "../../shared/manifest.ts";

/** The part of a manifest that a session needs. */
export type SessionManifest = Pick<ModelManifest, "name" | "version" | "input" | "output">;

/**
 * One network ready to run, whatever engine is behind it. Not made for two runs at once: the caller
 * takes turns (`batcher.ts`).
 */
export interface Session {
  readonly runtime: Runtime;
  /**
   * `input`: [batch, channels, height, width] of the manifest, row-major float32. Resolves to
   * probabilities [batch, classes]: the manifest's activation is applied.
   * @throws {RangeError} when the input's length does not fit the batch.
   */
  run(input: Float32Array, batch: number): Promise<Float32Array>;
  /** Frees the weights; nothing can be run afterwards. */
  close(): Promise<void>;
}

/** Where weights come from: nothing is read before it is known which engine reads, and how. */
export interface Weights {
  /** As they arrive; a chunk may be gone when the next one is asked for. */
  stream(): AsyncIterable<Uint8Array>;
  whole(): Promise<Uint8Array<ArrayBuffer>>;
  /** Null where they lie in no file of their own. */
  file(): Promise<WeightsFile | null>;
}

/** How a session computes. */
export interface SessionOptions {
  /** The engine; `auto` is the lean one where it has the network's operators. */
  readonly runtime?: Runtime | "auto";
  /**
   * Threads of one run, as far as the host lets them start; onnxruntime-web fixes the number for the
   * process at its first session.
   */
  readonly threads?: number;
}

/**
 * A session on the engine that is asked for, or that can run the network. onnxruntime-web, 14 MB of
 * WebAssembly, is imported only where it is used.
 *
 * @throws {SyntaxError} when the weights are no ONNX model that the engine can load.
 * @throws {RangeError} when the model's input or output is not what the manifest says.
 * @throws {UnsupportedError} when the lean engine alone is asked for and cannot run the network.
 */
export async function openSession(
  weights: Uint8Array | Weights,
  manifest: SessionManifest,
  { runtime = "auto", threads = 1 }: SessionOptions = {},
): Promise<Session> {
  if (runtime === "onnxruntime-node") {
    const { openNativeSession } = await import("../onnxruntime/native.ts");
    return await openNativeSession(await fileOrBytes(weights), manifest, { threads });
  }
  if (runtime !== "onnxruntime-web") {
    try {
      return await leanSession(streamOf(weights), manifest, { threads });
    } catch (error) {
      if (runtime === "lean" || !(error instanceof UnsupportedError)) throw error;
    }
  }
  const { openWebSession } = await import("../onnxruntime/web.ts");
  return await openWebSession(await fileOrBytes(weights), manifest, { threads });
}

async function fileOrBytes(weights: Uint8Array | Weights): Promise<Uint8Array | WeightsFile> {
  if (weights instanceof Uint8Array) return weights;
  return await weights.file() ?? await weights.whole();
}

function streamOf(weights: Uint8Array | Weights): AsyncIterable<Uint8Array> {
  return weights instanceof Uint8Array ? ReadableStream.from([weights]) : weights.stream();
}
