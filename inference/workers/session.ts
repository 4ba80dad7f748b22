import * as ort from "onnxruntime-web";
import type { ModelManifest } from "../../shared/manifest.ts";
import { softmax } from "../../shared/softmax.ts";

/** The part of a manifest that a session needs. */
export type SessionManifest = Pick<ModelManifest, "name" | "version" | "input" | "output">;

/**
 * One network ready to run, whatever engine is behind it. Not made for two runs at once: the caller
 * takes turns (`batcher.ts`).
 */
export interface Session {
  /** The engine's name, such as "onnxruntime-web". */
  readonly runtime: string;
  /**
   * `input`: [batch, channels, height, width] of the manifest, row-major float32. Resolves to
   * probabilities [batch, classes]: the manifest's activation is applied.
   * @throws {RangeError} when the input's length does not fit the batch.
   */
  run(input: Float32Array, batch: number): Promise<Float32Array>;
  /** Frees the weights; nothing can be run afterwards. */
  close(): Promise<void>;
}

/** How a session computes. */
export interface SessionOptions {
  /** WASM threads. The engine fixes the number for the process at its first session. */
  threads?: number;
}

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
  { threads = 1 }: SessionOptions = {},
): Promise<Session> {
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = threads;
  const session = await load(weights, manifest);
  try {
    checkContract(session, manifest);
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

/** A manifest that describes another network than its weights must fail here, not in a request. */
function checkContract(session: ort.InferenceSession, manifest: SessionManifest): void {
  const { input, output } = manifest;
  const [batch, ...image] = input.shape;
  if (batch > 1) {
    throw mismatch(manifest, `it takes batches of ${batch} alone, a request is one image`);
  }
  if (session.inputNames.length !== 1) {
    throw mismatch(manifest, `it has ${session.inputNames.length} inputs, expected one image`);
  }
  requireValue(manifest, "input", session.inputMetadata, input.name, image);
  requireValue(manifest, "output", session.outputMetadata, output.name, [output.classes]);
}

type ValueMetadata = ort.InferenceSession.ValueMetadata;

/** Requires a float32 value of that name, batch first; a size that the network leaves open fits. */
function requireValue(
  manifest: SessionManifest,
  kind: "input" | "output",
  values: readonly ValueMetadata[],
  name: string,
  shape: readonly number[],
): void {
  const value = values.find((candidate) => candidate.name === name);
  if (value?.isTensor && value.type === "float32" && fits(value.shape, shape)) return;
  throw mismatch(
    manifest,
    `its ${kind} is ${values.map(describe).join(" and ")}, but the manifest says ` +
      `${name} float32 [batch,${shape.join(",")}]`,
  );
}

function fits(actual: readonly (number | string)[], expected: readonly number[]): boolean {
  const sizes = actual.slice(1);
  // A pooling's 1 x 1 may be left behind the classes.
  while (sizes.length > expected.length && sizes.at(-1) === 1) sizes.pop();
  return sizes.length === expected.length &&
    expected.every((size, index) => typeof sizes[index] === "string" || sizes[index] === size);
}

function mismatch({ name, version }: SessionManifest, what: string): RangeError {
  return new RangeError(
    `Cannot serve ${name} ${version}: the network does not fit its manifest, ${what} ` +
      "(publish the model again)",
  );
}

function describe(value: ValueMetadata): string {
  return value.isTensor ? `${value.name} ${value.type} [${value.shape.join(",")}]` : value.name;
}
