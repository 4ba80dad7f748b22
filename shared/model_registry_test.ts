import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { exampleManifest } from "./fixtures/example_manifest.ts";
import {
  publishModel,
  readManifest,
  readPointed,
  type UnpublishedManifest,
} from "./model_registry.ts";
import { DirectoryStore } from "./object_store/directory.ts";
import { type ObjectStore, PreconditionFailedError } from "./object_store/object_store.ts";
import { readPointer } from "./registry/pointer.ts";
import { readWeights } from "./registry/weights.ts";

const WEIGHTS = Uint8Array.from({ length: 200_000 }, (_, index) => index % 251);

function unpublished(changes: Partial<UnpublishedManifest> = {}): UnpublishedManifest {
  const { schemaVersion: _schema, weights: _weights, ...rest } = exampleManifest();
  return { ...rest, ...changes };
}

const WHO = { by: "the test", reason: "it needs one" };

function publish(store: ObjectStore, changes: Partial<UnpublishedManifest> = {}) {
  return publishModel(store, { weights: WEIGHTS, manifest: unpublished(changes) }, WHO);
}

async function readLatest(store: ObjectStore) {
  const pointer = await readPointer(store, "pets", "latest");
  return pointer && await readPointed(store, "pets", pointer);
}

function registryTest(
  name: string,
  fn: (store: DirectoryStore, root: string) => Promise<void>,
): void {
  Deno.test(name, async () => {
    const root = await Deno.makeTempDir();
    try {
      await fn(new DirectoryStore(root), root);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });
}

registryTest(
  "publishModel() can be read back as latest, by version, and its weights",
  async (store) => {
    assertEquals(await readLatest(store), null);
    const manifest = await publish(store);
    assertEquals(await readLatest(store), manifest);
    assertEquals(await readManifest(store, "pets", manifest.version), manifest);
    assertEquals(await readWeights(store, manifest), WEIGHTS);
    assertEquals(manifest.weights.byteLength, WEIGHTS.length);
    assertEquals(await readManifest(store, "pets", "other"), null);
  },
);

registryTest("publishModel() keeps to the layout", async (store) => {
  const { weights, version } = await publish(store);
  const keys = (await Array.fromAsync(store.list(""))).map(({ key }) => key);
  assertEquals(keys, [
    `blobs/sha256/${weights.sha256}`,
    "models/pets/aliases/latest.json",
    "models/pets/history/latest/00000001.json",
    `models/pets/versions/${version}/manifest.json`,
  ]);
});

registryTest(
  "publishModel() shares weights, can be repeated, and never changes a version",
  async (store) => {
    const first = await publish(store);
    await publish(store);
    await publish(store, { version: "2" });
    assertEquals((await Array.fromAsync(store.list("blobs/"))).length, 1);
    assertEquals((await readLatest(store))?.version, "2");

    const changed = { weights: new Uint8Array([1]), manifest: unpublished() };
    await assertRejects(
      () => publishModel(store, changed, WHO),
      PreconditionFailedError,
      "exists already",
    );
    assertEquals(await readManifest(store, "pets", first.version), first);
    assertEquals((await readLatest(store))?.version, "2");
  },
);

registryTest("publishModel() writes nothing when the manifest is invalid", async (store) => {
  const manifest = unpublished({ labels: ["only one"] });
  await assertRejects(
    () => publishModel(store, { weights: WEIGHTS, manifest }, WHO),
    SyntaxError,
    "labels",
  );
  assertEquals(await Array.fromAsync(store.list("")), []);
});

registryTest("readPointed() refuses a manifest that was changed or moved", async (store, root) => {
  const manifest = await publish(store);
  const path = join(root, `models/pets/versions/${manifest.version}/manifest.json`);
  await Deno.writeTextFile(path, JSON.stringify({ ...manifest, labels: ["dog", "cat"] }));
  await assertRejects(() => readLatest(store), Error, "changed after publishing");
  await Deno.writeTextFile(path, JSON.stringify({ ...manifest, name: "cars" }));
  const reading = () => readManifest(store, "pets", manifest.version);
  await assertRejects(reading, Error, "is that of cars");
  await Deno.remove(path);
  await assertRejects(() => readLatest(store), Error, "is missing from the store");
});

registryTest("the registry refuses names that are no path segment", async (store) => {
  for (const name of ["../x", "a/b", ""]) {
    await assertRejects(() => readPointer(store, name, "latest"), SyntaxError, "as model name");
    await assertRejects(() => readPointer(store, "pets", name), SyntaxError, "as alias");
    await assertRejects(() => readManifest(store, "pets", name), SyntaxError, "as model version");
  }
  assert((await Array.fromAsync(store.list(""))).length === 0);
});
