import { readImageHeader } from "../../../shared/image/header.ts";
import { decodeRecord } from "../../../shared/image/preprocess.ts";
import { messageOf } from "../../../shared/message_of.ts";
import { answerTasks } from "../../dataset/worker_pool.ts";
import type { Seen } from "./image_record.ts";
import { featuresOf, LOOK_SIDE, lookOf } from "./look.ts";

export interface LookTask {
  readonly paths: readonly string[];
  /** Images of more pixels count as broken. */
  readonly maxPixels: number;
}

/** What is seen in each file. */
answerTasks(async ({ paths, maxPixels }: LookTask): Promise<Seen[]> => {
  const seen: Seen[] = [];
  for (const path of paths) {
    const bytes = Deno.readFileSync(path);
    try {
      const { width, height } = readImageHeader(bytes);
      const record = await decodeRecord(bytes, { side: LOOK_SIDE, channels: 3 }, { maxPixels });
      seen.push({
        width,
        height,
        look: lookOf(record),
        features: featuresOf(record, { width, height }),
      });
    } catch (error) {
      seen.push({ broken: messageOf(error) });
    }
  }
  return seen;
});
