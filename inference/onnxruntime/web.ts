import * as ort from "onnxruntime-web";
import { free } from "../../shared/free.ts";
import type { Session, SessionManifest } from "../workers/session.ts";
import { openNetwork, SESSION_OPTIONS } from "./network_session.ts";
import { splitWeights, WEIGHTS_FILE } from "./split_weights.ts";
import { FileBytes } from "./file_bytes.ts";
import { readWeightsFile, type WeightsFile } from "./weights_file.ts";

/**
 * A session on onnxruntime-web. Its bare entry runs threads in Deno, where the `/wasm` entry fails
 * on a blob address (measured 2026-11, onnxruntime-web 1.30.0). Weights in a file are read a tensor
 * at a time.
 *
 * Throws as `openNetwork` does.
 */
export async function openWebSession(
  weights: Uint8Array | WeightsFile,
  manifest: SessionManifest,
  { threads }: { readonly threads: number },
): Promise<Session> {
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = threads;
  return await openNetwork({
    runtime: "onnxruntime-web",
    create: () => create(weights),
    Tensor: ort.Tensor,
  }, manifest);
}

async function create(weights: Uint8Array | WeightsFile): Promise<ort.InferenceSession> {
  if (weights instanceof Uint8Array) return await createFrom(splitWeights(weights), weights);
  const bytes = await readWeightsFile(weights);
  const graph = splitWeights(bytes);
  free(bytes);
  using file = new FileBytes(weights.path);
  return await createFrom(graph, file);
}

function createFrom(graph: Uint8Array, data: Uint8Array): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(graph, {
    ...SESSION_OPTIONS,
    executionProviders: ["wasm"],
    externalData: [{ path: WEIGHTS_FILE, data }],
  });
}
