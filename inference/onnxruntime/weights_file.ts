import { createHash } from "node:crypto";
import { ChangedWeightsError } from "../../shared/registry/weights.ts";

/** Weights that lie in a file, and what their bytes must be. */
export interface WeightsFile {
  readonly path: string;
  readonly sha256: string;
}

/** The whole file. @throws {ChangedWeightsError} where it was changed after publishing. */
export async function readWeightsFile(
  { path, sha256 }: WeightsFile,
): Promise<Uint8Array<ArrayBuffer>> {
  using file = await Deno.open(path);
  // Deno.readFile() holds twice the file while its buffer grows.
  const bytes = new Uint8Array((await file.stat()).size);
  for (let done = 0; done < bytes.length;) {
    const read = await file.read(bytes.subarray(done));
    if (read === null) break;
    done += read;
  }
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found === sha256) return bytes;
  throw new ChangedWeightsError(
    `Cannot read weights: ${path} has SHA-256 ${found} (expected ${sha256})`,
  );
}
