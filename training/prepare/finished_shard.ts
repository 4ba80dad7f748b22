/**
 * What is kept of a finished shard until all are: a file beside the work of the others. Its presence
 * says that the shard is whole, and a run that was killed goes on with those that have none.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import type { StatisticsSums } from "../dataset/statistics.ts";
import { writeAtomically } from "../write_atomically.ts";

const FinishedShardSchema = z.strictObject({
  file: z.string(),
  /** Records; a shard without any has no file. */
  count: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  sha256: z.string(),
  /** Of each planned image in its order: sha256 of its bytes, empty where it could not be read. */
  hashes: z.array(z.string()),
  /** Place within the shard and reason of each image that is left out. */
  broken: z.array(z.tuple([z.int(), z.string()])),
  /** Of a training shard, see `StatisticsSums`; the sums of bytes are a file of their own. */
  products: z.array(z.number()).nullable(),
});

export type FinishedShard = z.infer<typeof FinishedShardSchema>;

const recordPath = (workFolder: string, file: string) => join(workFolder, `${file}.json`);
const sumsPath = (workFolder: string, file: string) => join(workFolder, `${file}.sums`);

export async function writeFinished(
  workFolder: string,
  shard: Omit<FinishedShard, "products">,
  sums: StatisticsSums | null,
): Promise<void> {
  if (sums) {
    const { buffer } = sums.bytes;
    await writeAtomically(sumsPath(workFolder, shard.file), [new Uint8Array(buffer)]);
  }
  const record: FinishedShard = { ...shard, products: sums ? [...sums.products] : null };
  const text = new TextEncoder().encode(JSON.stringify(record));
  await writeAtomically(recordPath(workFolder, shard.file), [text]);
}

/** The record of a shard, or null where it is not finished. */
export async function readFinished(
  workFolder: string,
  file: string,
): Promise<FinishedShard | null> {
  try {
    return FinishedShardSchema.parse(
      JSON.parse(await Deno.readTextFile(recordPath(workFolder, file))),
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw new Error(
      `Cannot go on with ${file}: its record is damaged (remove ${workFolder} to begin anew)`,
      { cause: error },
    );
  }
}

/** Adds a training shard's sums to those of others. */
export async function addSums(
  total: StatisticsSums,
  workFolder: string,
  { file, count, products }: FinishedShard,
): Promise<void> {
  if (count === 0 || products === null) return;
  const packed = await Deno.readFile(sumsPath(workFolder, file));
  total.merge({
    images: count,
    bytes: new Uint32Array(packed.buffer),
    products: Float64Array.from(products),
  });
}
