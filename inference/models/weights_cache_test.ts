import { assertEquals, assertRejects } from "@std/assert";
import { DirectoryStore } from "../../shared/object_store/directory.ts";
import { readManifest } from "../../shared/model_registry.ts";
import { ChangedWeightsError, readWeights } from "../../shared/registry/weights.ts";
import { coloursStore } from "../fixtures/colours_store.ts";
import { createLog } from "../log.ts";
import { withWeightsCache } from "./weights_cache.ts";

/** A published model behind a cache; `lost` takes the weights out of the store itself. */
async function cached(maxBytes = 1e6) {
  const origin = await coloursStore();
  const folder = await Deno.makeTempDir();
  const inner = new DirectoryStore(origin.folder);
  const lines: string[] = [];
  const log = createLog({ json: true, write: (line) => lines.push(line) });
  const store = withWeightsCache(inner, { folder: new DirectoryStore(folder), maxBytes, log });
  const manifest = (await readManifest(inner, "colours", "v1"))!;
  return {
    store,
    manifest,
    origin: origin.folder,
    folder,
    lines,
    lost: () => Deno.remove(`${origin.folder}/${manifest.weights.key}`),
    [Symbol.asyncDispose]: async () => {
      await origin[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

Deno.test("withWeightsCache() reads weights from the disk the second time, verified", async () => {
  await using it = await cached();
  const first = await readWeights(it.store, it.manifest);
  await it.lost();
  assertEquals(await readWeights(it.store, it.manifest), first);
  assertEquals(await it.store.dropAltered(it.manifest.weights.key), false);
  assertEquals(it.lines, []);
});

Deno.test("withWeightsCache() drops an altered file, and keeps nothing that is wrong", async () => {
  await using it = await cached();
  const { key, byteLength } = it.manifest.weights;
  const right = await readWeights(it.store, it.manifest);
  await Deno.writeFile(`${it.folder}/${key}`, new Uint8Array(byteLength));
  await assertRejects(() => readWeights(it.store, it.manifest), ChangedWeightsError);
  assertEquals(await it.store.dropAltered(key), true);
  assertEquals(await readWeights(it.store, it.manifest), right);
  assertEquals(await Deno.readFile(`${it.folder}/${key}`), right);

  await Deno.remove(`${it.folder}/${key}`);
  await Deno.writeFile(`${it.origin}/${key}`, new Uint8Array(byteLength));
  await assertRejects(() => readWeights(it.store, it.manifest), Error, "has SHA-256");
  await assertRejects(() => Deno.stat(`${it.folder}/${key}`), Deno.errors.NotFound);
});

Deno.test("withWeightsCache() goes on without a folder that it can write to", async () => {
  await using it = await cached();
  await Deno.remove(it.folder, { recursive: true });
  await Deno.writeTextFile(it.folder, "a file is in the way");
  assertEquals((await readWeights(it.store, it.manifest)).length, it.manifest.weights.byteLength);
  assertEquals(it.lines.length > 0, true);
});

Deno.test("withWeightsCache() removes the least recently used beyond its bound", async () => {
  await using it = await cached(1);
  await readWeights(it.store, it.manifest);
  const kept = new DirectoryStore(it.folder);
  await kept.put(`blobs/sha256/${"0".repeat(64)}`, new Uint8Array(9));
  await Deno.remove(`${it.folder}/${it.manifest.weights.key}`);
  await readWeights(it.store, it.manifest);
  const keys = (await Array.fromAsync(kept.list(""))).map(({ key }) => key);
  assertEquals(keys, [it.manifest.weights.key]);
});
