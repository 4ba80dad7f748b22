/**
 * A prepared folder: `index.json`, written last, names the shards and holds what training needs to
 * know of all images; `mean-image.f32` is the mean record.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { writeAtomically } from "../../write_atomically.ts";

export const INDEX_FILE = "index.json";
export const MEAN_IMAGE_FILE = "mean-image.f32";
const FORMAT = "topfive prepared data";

const Sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);
/** A name that stays in the folder. */
const FileSchema = z.string().regex(/^[a-z0-9][a-z0-9.-]*$/);

const ShardEntrySchema = z.strictObject({
  file: FileSchema,
  count: z.int().positive(),
  bytes: z.int().positive(),
  /** Of the whole file, as sha256sum prints it. */
  sha256: Sha256Schema,
});

export type ShardEntry = z.infer<typeof ShardEntrySchema>;

const SplitSchema = z.strictObject({
  count: z.int().nonnegative(),
  shards: z.array(ShardEntrySchema),
});

export const PreparedIndexSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(1),
  side: z.int().positive(),
  channels: z.union([z.literal(1), z.literal(3)]),
  seed: z.int().nonnegative(),
  classes: z.array(z.string()).min(1),
  source: z.strictObject({
    kind: z.string(),
    /** sha256 of what was to be prepared and how: the same plan gives the same bytes. */
    plan: Sha256Schema,
  }),
  splits: z.strictObject({
    train: SplitSchema,
    validation: SplitSchema,
    test: SplitSchema.nullable(),
  }),
  /** Of the training images, in units of a byte. */
  statistics: z.strictObject({
    mean: z.array(z.number()),
    std: z.array(z.number()),
    covariance: z.array(z.array(z.number())),
    eigen: z.strictObject({ values: z.array(z.number()), vectors: z.array(z.array(z.number())) }),
    /** float32, little-endian, [side, side, channels]. */
    meanImage: z.strictObject({ file: FileSchema, sha256: Sha256Schema }),
  }),
  broken: z.int().nonnegative(),
  warnings: z.array(z.string()),
  /** sha256 of the classes and the shards' checksums: the same data, the same text. */
  fingerprint: Sha256Schema,
  /** See `contentFingerprint`; indexes of before 2026-11-28 have none. */
  content: Sha256Schema.optional(),
});

export type PreparedIndex = z.infer<typeof PreparedIndexSchema>;

export const INDEX_HEAD = { format: FORMAT, version: 1 } as const;

/**
 * The index of a prepared folder, or null where the folder has none.
 *
 * @throws {SyntaxError} the file is no index of a version that is read here
 */
export async function readPreparedIndex(folder: string): Promise<PreparedIndex | null> {
  const path = join(folder, INDEX_FILE);
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return null;
    }
    throw error;
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError(`Cannot read ${path}: it is no JSON (prepare the data again)`, { cause });
  }
  const result = PreparedIndexSchema.safeParse(parsed);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new SyntaxError(
    `Cannot read ${path}: ${issue!.path.join(".") || "the whole"}: ${issue!.message} ` +
      `(expected an index that topfive prepare wrote)`,
  );
}

export async function writePreparedIndex(folder: string, index: PreparedIndex): Promise<void> {
  const text = JSON.stringify(index, null, 2) + "\n";
  await writeAtomically(join(folder, INDEX_FILE), [new TextEncoder().encode(text)]);
}
