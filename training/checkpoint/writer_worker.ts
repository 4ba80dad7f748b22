import { answerTasks } from "../dataset/worker_pool.ts";
import type { CheckpointHeader } from "./checkpoint.ts";
import { CheckpointFile, NonFiniteTensorError } from "./checkpoint_file.ts";

/** Begin a file, add its next tensor, put it in place. */
export type WriteTask =
  | { readonly path: string; readonly header: CheckpointHeader }
  | { readonly values: Float32Array<ArrayBuffer> }
  | "commit";

/** The tensor that is not finite, if that is what is wrong; null where all is well. */
export type WriteResult = { readonly nonFinite: string } | null;

let file: CheckpointFile | null = null;

answerTasks((task: WriteTask): WriteResult => {
  try {
    if (task === "commit") {
      file?.commit();
      file = null;
    } else if ("path" in task) {
      file = new CheckpointFile(task.path, task.header);
    } else {
      file?.add(task.values);
    }
    return null;
  } catch (error) {
    // What else comes for this file has nowhere to go: the first error is the one that counts.
    file?.[Symbol.dispose]();
    file = null;
    if (error instanceof NonFiniteTensorError) return { nonFinite: error.tensor };
    throw error;
  }
});
