import { createHash } from "node:crypto";
import { join } from "node:path";
import { readPreparedIndex } from "../dataset/shards/prepared_index.ts";

/**
 * Reads every shard of a prepared folder and compares its checksum with the index's.
 *
 * @returns what is wrong, by file; nothing where all is well
 * @throws {Error} the folder is not prepared
 */
export async function verifyPrepared(
  folder: string,
  onShard: (done: number, total: number) => void = () => {},
): Promise<string[]> {
  const index = await readPreparedIndex(folder);
  if (index === null) {
    throw new Error(
      `Cannot check ${folder}: it is not prepared (expected a folder of topfive prepare)`,
    );
  }
  const { train, validation, test } = index.splits;
  const shards = [train, validation, test].flatMap((split) => split?.shards ?? []);
  const problems: string[] = [];
  for (const [i, { file, bytes, sha256 }] of shards.entries()) {
    const hash = createHash("sha256");
    let length = 0;
    try {
      using opened = await Deno.open(join(folder, file));
      for await (const chunk of opened.readable) {
        hash.update(chunk);
        length += chunk.length;
      }
      if (length !== bytes) problems.push(`${file}: it has ${length} bytes (expected ${bytes})`);
      else if (hash.digest("hex") !== sha256) problems.push(`${file}: its checksum is wrong`);
    } catch (error) {
      problems.push(`${file}: ${(error as Error).message}`);
    }
    onShard(i + 1, shards.length);
  }
  return problems;
}
