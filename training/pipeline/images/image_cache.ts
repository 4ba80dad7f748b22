import { createHash } from "node:crypto";
import { join } from "node:path";
import type { ObjectStore } from "../../../shared/object_store/object_store.ts";
import { writeAtomically } from "../../write_atomically.ts";

/** Images on this machine's disk, by content. What is lost of it is fetched again. */
export class ImageCache {
  readonly #store: ObjectStore;
  /** Where the files lie, named by their sha256. */
  readonly folder: string;

  constructor(store: ObjectStore, folder: string) {
    this.#store = store;
    this.folder = folder;
  }

  pathOf(sha256: string): string {
    return join(this.folder, sha256);
  }

  /**
   * Fetches an object and gives its content's sha256, or null where it cannot be had.
   *
   * @throws {Error} the store cannot be reached
   */
  async fetch(key: string): Promise<string | null> {
    let object;
    try {
      object = await this.#store.get(key);
    } catch (error) {
      // A name that no store of ours has; the others may well be readable.
      if (error instanceof RangeError) return null;
      throw error;
    }
    if (object === null) return null;
    const sha256 = createHash("sha256").update(object.bytes).digest("hex");
    await Deno.mkdir(this.folder, { recursive: true });
    if (!await this.#has(sha256)) await writeAtomically(this.pathOf(sha256), [object.bytes]);
    return sha256;
  }

  /**
   * Makes sure that an image is here.
   *
   * @throws {Error} it is no longer in the store as it was
   */
  async require(key: string, sha256: string): Promise<void> {
    if (await this.#has(sha256)) return;
    if (await this.fetch(key) === sha256) return;
    throw new Error(
      `Cannot go on with this run: ${key} was removed or replaced since it was found ` +
        "(retrain anew with --restart)",
    );
  }

  async #has(sha256: string): Promise<boolean> {
    return await Deno.stat(this.pathOf(sha256)).then(() => true, () => false);
  }
}
