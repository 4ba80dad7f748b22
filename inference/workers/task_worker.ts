import { ImageError, type ImageErrorCode } from "../../shared/image/image.ts";

/** A worker was ended because it took too long or broke; what it worked on has no answer. */
export class WorkerEndedError extends Error {
  override readonly name = "WorkerEndedError";
}

/** What a worker answers to one task. */
export type Reply<Result> =
  | { readonly result: Result }
  | { readonly error: { name: string; message: string; code?: ImageErrorCode } };

/** What it says when it has loaded its code. */
const READY = "ready";

/** A Worker that is given one task at a time, and ended when it does not answer in time. */
export class TaskWorker<Task, Result> {
  readonly #worker: Worker;
  /** Given the worker's next answer, or why there is none. */
  #settle: (reply: Reply<Result> | WorkerEndedError) => void = () => {};
  readonly #ready = Promise.withResolvers<void>();
  /** Why it ended; undefined while it lives. */
  #end: WorkerEndedError | undefined;

  /** `module` calls {@linkcode answerTasks}. */
  constructor(module: URL) {
    this.#worker = new Worker(module, { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<typeof READY | Reply<Result>>) => {
      if (data === READY) this.#ready.resolve();
      else this.#settle(data);
    };
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
    const reply = Promise.withResolvers<Reply<Result> | WorkerEndedError>();
    this.#settle = reply.resolve;
    // At once: a worker that loads its code finds it as soon as it can, whatever this thread does.
    this.#worker.postMessage(task, transfer);
    await this.#ready.promise;
    const timer = setTimeout(() => this.end(`no answer in ${milliseconds} ms`), milliseconds);
    const answer = await reply.promise;
    clearTimeout(timer);
    if (answer instanceof WorkerEndedError) throw answer;
    if ("error" in answer) throw revive(answer.error);
    return answer.result;
  }

  /** Ends the worker and all its memory; a task that it works on fails. */
  end(reason = "it is no longer needed"): void {
    if (this.#end) return;
    this.#end = new WorkerEndedError(`Cannot finish the task: the worker ended, ${reason}`);
    this.#worker.terminate();
    this.#ready.resolve();
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
    postMessage(message: typeof READY | Reply<Result>, transfer: Transferable[]): void;
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
  scope.postMessage(READY, []);
}
