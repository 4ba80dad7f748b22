/**
 * Measured tiles on disk, by adapter and problem. A measurement holds for the adapter and driver
 * that it was made on and for the very text of the kernels.
 * @module
 */
import { dirname, join } from "node:path";
import { z } from "zod";
import { writeAtomically } from "../write_atomically.ts";

const EntrySchema = z.strictObject({
  tile: z.string(),
  /** Hash of the kernels' text, see `codeHash`. */
  code: z.string(),
  milliseconds: z.number().positive(),
  /** Of the tile that the cost model chooses. */
  defaultMilliseconds: z.number().positive(),
  tunedAt: z.iso.datetime(),
});

const FileSchema = z.strictObject({
  format: z.literal("topfive tuning 1"),
  /** By adapter, then by problem key. */
  adapters: z.record(z.string(), z.record(z.string(), EntrySchema)),
});

export type TuningEntry = z.infer<typeof EntrySchema>;
export type TuningEntries = Readonly<Record<string, TuningEntry>>;

/** `$XDG_CACHE_HOME/topfive/tuning.json`, else below `~/.cache`, else in `.topfive`. */
export function tuningPath(env: Pick<typeof Deno.env, "get"> = Deno.env): string {
  const home = env.get("HOME");
  const cache = env.get("XDG_CACHE_HOME") || (home ? join(home, ".cache") : "");
  return cache ? join(cache, "topfive", "tuning.json") : join(".topfive", "tuning.json");
}

/**
 * What was measured on an adapter; nothing where there is no file.
 *
 * @throws {SyntaxError} where the file is damaged or of another format.
 */
export async function readTuning(path: string, adapter: string): Promise<TuningEntries> {
  const { adapters } = await readFile(path);
  return Object.hasOwn(adapters, adapter) ? adapters[adapter]! : {};
}

/** Adds to the file what was measured; what another process added in the meantime stays. */
export async function addTuning(
  path: string,
  adapter: string,
  entries: TuningEntries,
): Promise<void> {
  const { adapters } = await readFile(path).catch((error) => {
    // Measurements can be made again: a damaged file gives way.
    if (error instanceof SyntaxError) return EMPTY;
    throw error;
  });
  const file = {
    ...EMPTY,
    adapters: { ...adapters, [adapter]: { ...adapters[adapter], ...entries } },
  };
  await Deno.mkdir(dirname(path), { recursive: true });
  await writeAtomically(path, [new TextEncoder().encode(JSON.stringify(file, null, 1) + "\n")]);
}

const EMPTY: z.infer<typeof FileSchema> = { format: "topfive tuning 1", adapters: {} };

async function readFile(path: string): Promise<z.infer<typeof FileSchema>> {
  let value: unknown;
  try {
    value = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return EMPTY;
    throw new SyntaxError(`Cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
  const result = FileSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new SyntaxError(`Cannot read ${path}: ${issue!.path.join(".")}: ${issue!.message}`);
}
