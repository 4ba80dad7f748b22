import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { DirectoryStore } from "../object_store/directory.ts";
import { blobKey, ChangedWeightsError, readWeights, streamWeights } from "./weights.ts";

/** More than one chunk of a directory store. */
const WEIGHTS = Uint8Array.from({ length: 2_500_000 }, (_, i) => i * 7 % 251);

async function stored() {
  const root = await Deno.makeTempDir();
  const store = new DirectoryStore(root);
  const digest = await crypto.subtle.digest("SHA-256", WEIGHTS);
  const sha256 = new Uint8Array(digest).toHex();
  const weights = { key: blobKey(sha256), sha256, byteLength: WEIGHTS.length };
  await store.put(weights.key, WEIGHTS);
  return {
    store,
    manifest: { name: "pets", version: "1", weights },
    path: join(root, weights.key),
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

Deno.test("readWeights() refuses weights that are missing, cut off or changed", async () => {
  await using it = await stored();
  const { store, manifest, path } = it;
  assertEquals(await readWeights(store, manifest), WEIGHTS);
  const read = () => readWeights(store, manifest);
  await Deno.writeFile(path, WEIGHTS.subarray(1));
  await assertRejects(read, ChangedWeightsError, "has 2499999 bytes");
  await Deno.writeFile(path, WEIGHTS.toReversed());
  await assertRejects(read, ChangedWeightsError, "has SHA-256");
  await Deno.remove(path);
  await assertRejects(read, Error, "is missing from the store");
});

Deno.test("streamWeights() leaves nothing of a chunk behind, and closes what it leaves early", async () => {
  await using it = await stored();
  const chunks: Uint8Array[] = [];
  for await (const chunk of streamWeights(it.store, it.manifest)) chunks.push(chunk);
  assertEquals(chunks.length, 3);
  assertEquals(chunks.map(({ byteLength }) => byteLength), [0, 0, 0]);
  // The test runner refuses a file that is left open.
  for await (const _ of streamWeights(it.store, it.manifest)) break;
});
