import { assert, assertEquals, assertRejects } from "@std/assert";
import { openStore } from "../shared/object_store/open_store.ts";
import { coloursStore, emptyStore, publishColours } from "./fixtures/colours_store.ts";
import { type LoadedModel, loadModel, type LoadOptions } from "./model_loader.ts";

function load(folder: string, options: Omit<LoadOptions, "store"> = {}): Promise<LoadedModel> {
  return loadModel(openStore(folder), { store: folder, ...options });
}

async function loadedVersion(folder: string, options: Omit<LoadOptions, "store"> = {}) {
  const { manifest, session } = await load(folder, options);
  await session.close();
  return `${manifest.name} ${manifest.version}`;
}

Deno.test("loadModel() takes the only model, its latest version, and times each stage", async () => {
  await using store = await coloursStore();
  await publishColours(store.folder, { version: "v2" });
  const { manifest, session, stages } = await load(store.folder);
  assertEquals([manifest.name, manifest.version], ["colours", "v2"]);
  const probabilities = await session.run(new Float32Array(3 * 16 * 16), 1);
  assertEquals(probabilities.length, 4);
  assertEquals(Object.keys(stages), ["manifest_ms", "weights_ms", "session_ms", "warmup_ms"]);
  assert(Object.values(stages).every((ms) => Number.isInteger(ms) && ms >= 0));
  await session.close();
});

Deno.test("loadModel() takes the model and the version that are named", async () => {
  await using store = await coloursStore();
  await publishColours(store.folder, { version: "v2" });
  await publishColours(store.folder, { name: "paints" });
  assertEquals(await loadedVersion(store.folder, { model: "paints" }), "paints v1");
  assertEquals(await loadedVersion(store.folder, { model: "colours" }), "colours v2");
  const old = { model: "colours", version: "v1" };
  assertEquals(await loadedVersion(store.folder, old), "colours v1");
});

Deno.test("loadModel() says what the store has when it cannot find the model", async () => {
  await using store = await emptyStore();
  const missing = (options: Omit<LoadOptions, "store">, message: string) =>
    assertRejects(() => load(store.folder, options), RangeError, message);

  await missing({}, `Cannot find a model in ${store.folder} (nothing is published there: run`);
  await missing({ model: "pets" }, `Cannot find the model pets in ${store.folder} (nothing is`);
  await publishColours(store.folder);
  await missing({ model: "pets" }, "(published there: colours)");
  await missing({ version: "v7" }, `Cannot find version v7 of colours in ${store.folder}`);
  await publishColours(store.folder, { name: "paints" });
  await missing({}, "has colours, paints (name one with --model)");
});

Deno.test("loadModel() treats a folder that does not exist as an empty store", async () => {
  await using store = await emptyStore();
  await assertRejects(() => load(`${store.folder}/none`), RangeError, "nothing is published there");
});

Deno.test("loadModel() refuses weights that were changed or cut after publishing", async () => {
  const changes: ((bytes: Uint8Array<ArrayBuffer>) => Uint8Array)[] = [
    (bytes) => bytes.with(100, bytes[100]! ^ 1),
    (bytes) => bytes.subarray(0, 200),
  ];
  for (const change of changes) {
    await using store = await coloursStore();
    const blobs = `${store.folder}/blobs/sha256`;
    const [blob] = [...Deno.readDirSync(blobs)];
    const path = `${blobs}/${blob!.name}`;
    await Deno.writeFile(path, change(await Deno.readFile(path)));
    await assertRejects(
      () => load(store.folder),
      Error,
      "Cannot read weights of colours v1",
    );
  }
});

Deno.test("loadModel() refuses a manifest that describes another network", async () => {
  await using store = await coloursStore({ input: { name: "data", shape: [-1, 3, 16, 16] } });
  await assertRejects(() => load(store.folder), RangeError, "does not fit its manifest");
});
