import type * as Ort from "onnxruntime-web";

/**
 * An ONNX file in ONNX Runtime, on one thread. The runtime is loaded here and not with the program: its
 * 14 MB are of no use to a training.
 *
 * @param what names the file in a message
 * @throws {SyntaxError} where the runtime refuses the file.
 */
export async function openOnnxSession(
  what: string,
  bytes: Uint8Array,
): Promise<Ort.InferenceSession> {
  // Loading it puts Node's Worker in place of Deno's, in which no worker of ours runs (1.30.0).
  const { Worker } = globalThis;
  try {
    const ort = await import("onnxruntime-web");
    ort.env.logLevel = "error";
    ort.env.wasm.numThreads = 1;
    return await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  } catch (cause) {
    throw new SyntaxError(`Cannot run ${what}: ${(cause as Error).message}`, { cause });
  } finally {
    globalThis.Worker = Worker;
  }
}

/** All outputs by name, for the one input of these dims. */
export async function runOnnx(
  session: Ort.InferenceSession,
  input: Float32Array,
  dims: readonly number[],
): Promise<Record<string, Float32Array>> {
  const { Tensor } = await import("onnxruntime-web");
  const results = await session.run({
    [session.inputNames[0]!]: new Tensor("float32", input, dims),
  });
  return Object.fromEntries(
    Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]),
  );
}
