import { createHash } from "node:crypto";
import { answerTasks } from "../dataset/worker_pool.ts";
import { openSourceFiles, UnreadableFileError } from "./sources/source_files.ts";
import type { SourceImage } from "./sources/source.ts";

export interface HashTask {
  readonly address: string;
  readonly images: readonly Pick<SourceImage, "file" | "range">[];
  /** Places of the images in the source. */
  readonly places: readonly number[];
}

/** The first 32 bits of each image's sha256 as a fraction; 1 where it cannot be read. */
export type HashResult = number[];

answerTasks(async ({ address, images }: HashTask): Promise<HashResult> => {
  const files = openSourceFiles(address);
  const parts: number[] = [];
  for (const { file, range } of images) {
    try {
      const bytes = await files.read(file, range);
      parts.push(createHash("sha256").update(bytes).digest().readUInt32BE(0) / 2 ** 32);
    } catch (error) {
      if (!(error instanceof UnreadableFileError)) throw error;
      parts.push(1);
    }
  }
  files.close();
  return parts;
});
