import { createHash } from "node:crypto";
import { decodeRecord } from "../../shared/image/preprocess.ts";
import { messageOf } from "../../shared/message_of.ts";
import { answerTasks } from "./worker_pool.ts";

export interface DecodeTask {
  /** Absolute paths. */
  paths: string[];
  /** Place of the first of them among all files. */
  start: number;
  side: number;
  channels: 1 | 3;
  /** See `PreprocessSpec`. */
  resize?: "crop" | "squash" | undefined;
  maxPixels?: number;
}

export interface DecodeResult {
  /** [paths, side, side, channels]; zeros where an image is broken. */
  records: Uint8Array<ArrayBuffer>;
  /** sha256 of each file, hex; empty where it could not be read. */
  hashes: string[];
  /** Why an image is broken, null where it is not. */
  reasons: (string | null)[];
}

answerTasks(async (task: DecodeTask, transfer): Promise<DecodeResult> => {
  const { paths, side, channels, resize, maxPixels } = task;
  const bytes = side * side * channels;
  const records = new Uint8Array(paths.length * bytes);
  const hashes: string[] = [];
  const reasons: (string | null)[] = [];
  const limits = maxPixels === undefined ? {} : { maxPixels };
  for (const [i, path] of paths.entries()) {
    let hash = "";
    let reason: string | null = null;
    try {
      const file = Deno.readFileSync(path);
      hash = createHash("sha256").update(file).digest("hex");
      records.set(await decodeRecord(file, { side, channels, resize }, limits), i * bytes);
    } catch (error) {
      reason = messageOf(error);
    }
    hashes.push(hash);
    reasons.push(reason);
  }
  transfer.push(records.buffer);
  return { records, hashes, reasons };
});
