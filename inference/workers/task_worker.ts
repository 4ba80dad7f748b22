import { ImageError, type ImageErrorCode } from "../../shared/image/image.ts";

/** A worker was ended because it took too long or broke; what it worked on has no answer. */
export class WorkerEndedError extends Error {
  override readonly name = "WorkerEndedError";
}

/** What a worker answers to one task. */
export type Reply<Result> =
  | { readonly ready: true }
  | { readonly result: Result }
  | { readonly error: { name: string; message: string; code?: ImageErrorCode } };

/** A Worker that is given one task at a time, and ended when it does not answer in time. */
export class TaskWorker<Task, Result> {
  readonly #worker: Worker;
  /** Given the worker's next message, or why there is none. */
  #settle: (reply: Reply<Result> | WorkerEndedError) => void;
  readonly #ready: Promise<Reply<Result> | WorkerEndedError>;
  /** Why it ended; undefined while it lives. */
  #end: WorkerEndedError | undefined;

  /** `module` calls {@linkcode answerTasks}. */
  constructor(module: URL) {
    const ready = Promise.withResolvers<Reply<Result> | WorkerEndedError>();
    this.#ready = ready.promise;
    this.#settle = ready.resolve;
    this.#worker = new Worker(module, { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<Reply<Result>>) => this.#settle(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.end(event.message);
    };
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  /**
   * Resolves to the worker's answer; buffers in `transfer` are moved, not copied. The start of the
   * worker does not count towards `milliseconds`.
   *
   * @throws {WorkerEndedError} when it takes longer than `milliseconds`: the worker is ended then.
   * @throws {ImageError} or another error that the task itself ended with.
   */
  async ask(task: Task, milliseconds: number, transfer: Transferable[] = []): Promise<Result> {
    if (this.#end) throw this.#end;
    await this.#ready;
    if (this.#end) throw this.#end;
    const reply = Promise.withResolvers<Reply<Result> | WorkerEndedError>();
    this.#settle = reply.resolve;
    const timer = setTimeout(() => this.end(`no answer in ${milliseconds} ms`), milliseconds);
    this.#worker.postMessage(task, transfer);
    const answer = await reply.promise;
    clearTimeout(timer);
    if (answer instanceof WorkerEndedError) throw answer;
    if ("error" in answer) throw revive(answer.error);
    if ("result" in answer) return answer.result;
    throw new TypeError("Cannot take the answer: the worker said that it is ready twice");
  }

  /** Ends the worker and all its memory; a task that it works on fails. */
  end(reason = "it is no longer needed"): void {
    if (this.#end) return;
    this.#end = new WorkerEndedError(`Cannot finish the task: the worker ended, ${reason}`);
    this.#worker.terminate();
    this.#settle(this.#end);
  }
}

function revive({ name, message, code }: { name: string; message: string; code?: ImageErrorCode }) {
  if (code !== undefined) return new ImageError(code, message);
  const types: Record<string, ErrorConstructor> = { RangeError, SyntaxError, TypeError };
  return new (types[name] ?? Error)(message);
}

/** A worker's side: answers each task; buffers that the handler names are moved, not copied. */
export function answerTasks<Task, Result>(
  handler: (task: Task, transfer: Transferable[]) => Promise<Result>,
): void {
  const scope = self as unknown as {
    onmessage: (event: MessageEvent<Task>) => void;
    postMessage(reply: Reply<Result>, transfer: Transferable[]): void;
  };
  scope.onmessage = async ({ data }) => {
    const transfer: Transferable[] = [];
    try {
      const result = await handler(data, transfer);
      scope.postMessage({ result }, transfer);
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      const code = error instanceof ImageError ? { code: error.code } : {};
      scope.postMessage({ error: { name, message, ...code } }, []);
    }
  };
  scope.postMessage({ ready: true }, []);
}
