/**
 * A training's run folder in the store: what another machine needs to go on with it. The index of the
 * checkpoints goes last, so it never names one that is not there in full.
 * @module
 */
import { dirname, join, relative } from "node:path";
import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import { writeAtomically } from "../write_atomically.ts";

const INDEX = "checkpoints.json";
/** Made anew from the others, or of this machine alone. */
const LEFT_HERE = ["lock", "report.html", "trace.json"];

export class TrainingMirror {
  readonly #store: ObjectStore;
  readonly #prefix: string;
  readonly #folder: string;

  /** @param prefix ends with "/" */
  constructor(store: ObjectStore, prefix: string, folder: string) {
    this.#store = store;
    this.#prefix = prefix;
    this.#folder = folder;
  }

  /** Makes the store's copy like the folder. Nothing may write into the folder meanwhile. */
  async push(): Promise<void> {
    const names = (await Array.fromAsync(filesOf(this.#folder, this.#folder)))
      .filter((name) => !LEFT_HERE.includes(name));
    const checkpoints = names.filter(isCheckpoint);
    const stored = new Set<string>();
    for await (const { key } of this.#store.list(this.#prefix)) {
      stored.add(key.slice(this.#prefix.length));
    }
    // A checkpoint's name says its step, and its bytes do not change.
    for (const name of checkpoints) if (!stored.has(name)) await this.#put(name);
    for (const name of names) if (!isCheckpoint(name) && name !== INDEX) await this.#put(name);
    if (names.includes(INDEX)) await this.#put(INDEX);
    for (const name of stored) {
      if (isCheckpoint(name) && !checkpoints.includes(name)) {
        await this.#store.delete(this.#prefix + name);
      }
    }
  }

  /** Makes the folder like the store's copy, unless it is further than that. */
  async pull(): Promise<void> {
    const index = await this.#store.get(this.#prefix + INDEX);
    if (index === null) return;
    const own = await Deno.readFile(join(this.#folder, INDEX)).catch(ignoreMissing);
    if (own && latestStep(own) >= latestStep(index.bytes)) return;
    const keys = await Array.fromAsync(this.#store.list(this.#prefix), ({ key }) => key);
    await Deno.remove(this.#folder, { recursive: true }).catch(ignoreMissing);
    for (const key of keys) {
      const object = await this.#store.get(key);
      if (object === null) continue;
      const path = join(this.#folder, key.slice(this.#prefix.length));
      await Deno.mkdir(dirname(path), { recursive: true });
      await writeAtomically(path, [object.bytes]);
    }
  }

  async #put(name: string): Promise<void> {
    using file = await Deno.open(join(this.#folder, name));
    const body = isCheckpoint(name) ? file.readable : await new Response(file.readable).bytes();
    await this.#store.put(this.#prefix + name, body);
  }
}

function isCheckpoint(name: string): boolean {
  return name.startsWith("checkpoints/");
}

async function* filesOf(folder: string, root: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) yield* filesOf(path, root);
    else if (!name.startsWith(".")) yield relative(root, path);
  }
}

/** Of an index of checkpoints; below every step where there is none or it is damaged. */
function latestStep(index: Uint8Array): number {
  try {
    return JSON.parse(new TextDecoder().decode(index)).steps.at(-1) ?? -1;
  } catch {
    return -1;
  }
}

function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
