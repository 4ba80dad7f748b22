import type { InferenceSession, Tensor } from "onnxruntime-web";
import { softmax } from "../../shared/softmax.ts";
import { messageOf } from "../../shared/message_of.ts";
import { type NetworkValue, requireContract } from "../workers/contract.ts";
import type { Runtime } from "../workers/runtimes.ts";
import type { Session, SessionManifest } from "../workers/session.ts";

/** ONNX Runtime as its packages for WebAssembly and for servers offer it alike. */
export interface Engine {
  readonly runtime: Runtime;
  create(): Promise<InferenceSession>;
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => Tensor;
}

/**
 * Options of every session. ONNX Runtime joins MatMul and Add into Gemm before it looks for 8-bit
 * products, and has no fast 8-bit Gemm: AlexNet's int8 form would be dequantised at each run and take
 * 620 MB in place of 290 (1.30.0, 2026-11).
 */
export const SESSION_OPTIONS = {
  logSeverityLevel: 3,
  extra: { optimization: { disable_specified_optimizers: "MatMulAddFusion" } },
} as const satisfies InferenceSession.SessionOptions;

/**
 * A session on an engine of ONNX Runtime.
 *
 * @throws {SyntaxError} when the weights are no ONNX model that the engine can load.
 * @throws {RangeError} when the model's input or output is not what the manifest says.
 */
export async function openNetwork(engine: Engine, manifest: SessionManifest): Promise<Session> {
  const session = await load(engine, manifest);
  try {
    requireContract(manifest, {
      inputs: session.inputMetadata.map(networkValue),
      outputs: session.outputMetadata.map(networkValue),
    });
  } catch (error) {
    await session.release();
    throw error;
  }
  return new NetworkSession(engine, session, manifest);
}

class NetworkSession implements Session {
  readonly runtime: Runtime;
  readonly #engine: Engine;
  readonly #session: InferenceSession;
  readonly #manifest: SessionManifest;

  constructor(engine: Engine, session: InferenceSession, manifest: SessionManifest) {
    this.runtime = engine.runtime;
    this.#engine = engine;
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
    const tensor = new this.#engine.Tensor("float32", input, dims);
    // Fatal alone: a failure is thrown too, and what an engine writes by itself is no line of our log.
    const results = await this.#session.run({ [name]: tensor }, { logSeverityLevel: 4 });
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

async function load(engine: Engine, manifest: SessionManifest): Promise<InferenceSession> {
  try {
    return await engine.create();
  } catch (error) {
    // A missing permission is the operator's to mend and must not read as a broken model.
    if (error instanceof Error && error.message.includes("NotCapable")) throw error;
    throw new SyntaxError(
      `Cannot load the weights of ${manifest.name} ${manifest.version}: ` +
        `${messageOf(error)} (publish the model again)`,
      { cause: error },
    );
  }
}

function networkValue(value: InferenceSession.ValueMetadata): NetworkValue {
  if (!value.isTensor) return { name: value.name };
  return { name: value.name, type: value.type, shape: value.shape };
}
