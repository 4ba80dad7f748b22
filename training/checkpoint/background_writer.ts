import type { CheckpointHeader } from "./checkpoint.ts";
import { NonFiniteTensorError } from "./checkpoint_file.ts";
import type { WriteResult, WriteTask } from "./writer_worker.ts";

type Reply = { readonly result: WriteResult } | { readonly error: string };

/** Hashes and writes checkpoints in a Worker: training goes on as soon as the numbers are read. */
export class BackgroundWriter implements Disposable {
  readonly #worker = new Worker(new URL("./writer_worker.ts", import.meta.url), { type: "module" });
  readonly #waiting: PromiseWithResolvers<void>[] = [];

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      const { resolve, reject } = this.#waiting.shift()!;
      if ("error" in data) reject(new Error(data.error));
      else if (data.result) reject(new NonFiniteTensorError(data.result.nonFinite));
      else resolve();
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(event.message));
    };
  }

  /**
   * Resolves when every tensor is read; what it resolves to, once the file is in place. The tensors'
   * memory is moved to the Worker.
   *
   * @throws {Error} where reading a tensor fails; the file then never comes to be.
   */
  async write(
    path: string,
    header: CheckpointHeader,
    tensors: AsyncIterable<Float32Array<ArrayBuffer>>,
  ): Promise<{ readonly written: Promise<void> }> {
    const replies = [this.#post({ path, header })];
    for await (const values of tensors) replies.push(this.#post({ values }, [values.buffer]));
    replies.push(this.#post("commit"));
    return { written: Promise.all(replies).then(() => {}) };
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }

  #post(task: WriteTask, transfer: Transferable[] = []): Promise<void> {
    const reply = Promise.withResolvers<void>();
    this.#waiting.push(reply);
    // A failure is seen by who awaits the file; until then it must not end the process.
    reply.promise.catch(() => {});
    this.#worker.postMessage(task, transfer);
    return reply.promise;
  }
}
