import type { Session, SessionManifest } from "../workers/session.ts";
import { softmax } from "../../shared/softmax.ts";
import { LeanRunner } from "./lean_runner.ts";
import { readNetwork, type ReadOptions } from "./read_network.ts";

/**
 * A session on the lean engine, its weights taken from the stream as they come.
 *
 * @throws {SyntaxError} when the stream is no ONNX model.
 * @throws {RangeError} when the model's input or output is not what the manifest says.
 * @throws {UnsupportedError} when the network has an operator, or a form of one, that is not here.
 */
export async function leanSession(
  chunks: AsyncIterable<Uint8Array>,
  manifest: SessionManifest,
  options?: ReadOptions,
): Promise<Session> {
  const { name, version } = manifest;
  try {
    const runner = new LeanRunner(await readNetwork(chunks, manifest, options));
    // What is not supported shows here, where another engine can still be taken.
    runner.prepare(1);
    return new LeanSession(runner, manifest);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(
      `Cannot load the weights of ${name} ${version}: ${error.message} (publish the model again)`,
      { cause: error },
    );
  }
}

class LeanSession implements Session {
  readonly runtime = "lean";
  #runner: LeanRunner | undefined;
  readonly #manifest: SessionManifest;
  #starting: ReturnType<typeof setTimeout> | undefined;

  constructor(runner: LeanRunner, manifest: SessionManifest) {
    this.#runner = runner;
    this.#manifest = manifest;
  }

  // deno-lint-ignore require-await -- other engines wait
  async run(input: Float32Array, batch: number): Promise<Float32Array> {
    const { name, input: { shape }, output } = this.#manifest;
    if (!this.#runner) throw new TypeError(`Cannot run ${name}: its session is closed`);
    const dims = [batch, ...shape.slice(1)];
    const expected = dims.reduce((product, size) => product * size, 1);
    if (input.length !== expected) {
      throw new RangeError(
        `Cannot run ${name}: input has ${input.length} values, expected ${expected} ` +
          `(${dims.join(" × ")})`,
      );
    }
    const values = this.#runner.run(input, batch);
    // The first answer does not wait until other threads have started.
    this.#starting ??= setTimeout(() => this.#runner?.startThreads());
    return output.activation === "softmax" ? softmax(values, output.classes) : values;
  }

  // deno-lint-ignore require-await -- other engines wait
  async close(): Promise<void> {
    clearTimeout(this.#starting);
    this.#runner?.close();
    this.#runner = undefined;
  }
}
