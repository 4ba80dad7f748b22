/**
 * Work spread over Workers, one task in each at a time, so that memory is bounded by the number of
 * Workers whatever the number of tasks.
 * @module
 */
import { messageOf } from "../../shared/message_of.ts";

type Reply<Result> = { result: Result } | { error: string };

export interface PoolOptions<Task, Result> {
  /** Module that calls {@linkcode answerTasks}. */
  module: URL;
  /** Taken one by one as Workers come free, so that a generator need not have all at once. */
  tasks: Iterable<Task>;
  /** Called for each task as it ends, in any order. */
  onResult: (result: Result, task: Task) => void;
  /** Workers to start; the number of cores unless given. */
  workers?: number;
}

/**
 * Ends when every task has been answered.
 *
 * @throws {Error} what the first failing task or Worker threw; the other Workers are ended
 */
export async function runInWorkers<Task, Result>(options: PoolOptions<Task, Result>) {
  const { module, tasks, onResult } = options;
  const iterator = tasks[Symbol.iterator]();
  const workers: Worker[] = [];

  const serve = (first: Task) =>
    new Promise<void>((resolve, reject) => {
      const worker = new Worker(module, { type: "module" });
      workers.push(worker);
      let task: Task;
      const handOut = (next: IteratorResult<Task>) => {
        if (next.done) return resolve();
        task = next.value;
        worker.postMessage(task);
      };
      worker.onmessage = ({ data }: MessageEvent<Reply<Result>>) => {
        if ("error" in data) return reject(new Error(data.error));
        try {
          onResult(data.result, task);
          handOut(iterator.next());
        } catch (error) {
          reject(error);
        }
      };
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
      handOut({ value: first });
    });

  try {
    const served: Promise<void>[] = [];
    while (served.length < (options.workers ?? navigator.hardwareConcurrency)) {
      const next = iterator.next();
      if (next.done) break;
      served.push(serve(next.value));
    }
    await Promise.all(served);
  } finally {
    for (const worker of workers) worker.terminate();
  }
}

/**
 * A Worker's side: answers each task it is sent. Buffers that the handler names are moved, not
 * copied.
 */
export function answerTasks<Task, Result>(
  handler: (task: Task, transfer: Transferable[]) => Result | Promise<Result>,
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
      scope.postMessage({ error: messageOf(error) }, []);
    }
  };
}
