import * as ort from "onnxruntime-web";
import type { Session, SessionManifest } from "./session.ts";
import { type NetworkValue, requireContract } from "./contract.ts";
import { softmax } from "../../shared/softmax.ts";

/**
 * A session on onnxruntime-web. Its bare entry runs threads in Deno, where the `/wasm` entry fails
 * on a blob address (measured 2026-11, onnxruntime-web 1.30.0).
 *
 * @throws {SyntaxError} when the weights are no ONNX model that the engine can load.
 * @throws {RangeError} when the model's input or output is not what the manifest says.
 */
export async function createSession(
  weights: Uint8Array,
  manifest: SessionManifest,
  { threads }: { readonly threads: number },
): Promise<Session> {
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = threads;
  const session = await load(weights, manifest);
  try {
    requireContract(manifest, {
      inputs: session.inputMetadata.map(networkValue),
      outputs: session.outputMetadata.map(networkValue),
    });
  } catch (error) {
    await session.release();
    throw error;
  }
  return new OnnxSession(session, manifest);
}

class OnnxSession implements Session {
  readonly runtime = "onnxruntime-web";
  readonly #session: ort.InferenceSession;
  readonly #manifest: SessionManifest;

  constructor(session: ort.InferenceSession, manifest: SessionManifest) {
    this.#session = session;
    this.#manifest = manifest;
  }

  async run(input: Float32Array, batch: number): Promise<Float32Array> {
    const { input: { shape }, output } = this.#manifest;
    const dims = [batch, ...shape.slice(1)];
    const expected = dims.reduce((product, size) => product * size, 1);
    if (input.length !== expected) {
      throw new RangeError(
        `Cannot run ${this.#manifest.name}: input has ${input.length} values, expected ` +
          `${expected} (${dims.join(" × ")})`,
      );
    }
    const values = shape[0] === 1 && batch > 1
      ? await this.#runOneByOne(input, batch)
      : await this.#runNetwork(input, dims);
    return output.activation === "softmax" ? softmax(values, output.classes) : values;
  }

  async #runNetwork(input: Float32Array, dims: readonly number[]): Promise<Float32Array> {
    const { input: { name }, output } = this.#manifest;
    const results = await this.#session.run({ [name]: new ort.Tensor("float32", input, dims) });
    // The contract was checked when the session was made: the output exists and is float32.
    return results[output.name]!.data as Float32Array;
  }

  /** Some networks are exported for one image at a time. */
  async #runOneByOne(input: Float32Array, batch: number): Promise<Float32Array> {
    const { input: { shape }, output: { classes } } = this.#manifest;
    const length = input.length / batch;
    const values = new Float32Array(batch * classes);
    for (let image = 0; image < batch; image++) {
      const one = input.subarray(image * length, (image + 1) * length);
      values.set(await this.#runNetwork(one, shape), image * classes);
    }
    return values;
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

async function load(weights: Uint8Array, manifest: SessionManifest): Promise<ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(weights, { executionProviders: ["wasm"] });
  } catch (error) {
    // A missing permission is the operator's to mend and must not read as a broken model.
    if (error instanceof Error && error.message.includes("NotCapable")) throw error;
    throw new SyntaxError(
      `Cannot load the weights of ${manifest.name} ${manifest.version}: ` +
        `${error instanceof Error ? error.message : String(error)} (publish the model again)`,
      { cause: error },
    );
  }
}

function networkValue(value: ort.InferenceSession.ValueMetadata): NetworkValue {
  if (!value.isTensor) return { name: value.name };
  return { name: value.name, type: value.type, shape: value.shape };
}
