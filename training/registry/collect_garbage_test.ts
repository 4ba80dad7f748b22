import { assertEquals } from "@std/assert";
import { exampleManifest } from "../../shared/fixtures/example_manifest.ts";
import { publishModel } from "../../shared/model_registry.ts";
import { latestRunKey } from "../../shared/registry/keys.ts";
import { blobKey } from "../../shared/registry/weights.ts";
import { moveAlias } from "../../shared/registry/move_alias.ts";
import { stageKey } from "../pipeline/keys.ts";
import { DECISION, publishPets, withPets } from "../fixtures/published.ts";
import { promote } from "./champion.ts";
import { findGarbage } from "./collect_garbage.ts";
import { makeSigningKey, readSigningKey, signVersion } from "./sign.ts";

const HOUR = 3_600_000;
const tomorrow = { olderThanMs: HOUR, now: Date.now() + 24 * HOUR };

Deno.test("findGarbage() spares what aliases and their last moves name", async () => {
  await withPets(["v1", "v2", "v3", "v4", "v5"], async (store) => {
    await promote(store, "pets", "v2", DECISION);
    await promote(store, "pets", "v3", DECISION);
    await moveAlias(store, "pets", "staging", { version: "v1", ...DECISION });
    const keys = async (keepMoves: number) =>
      (await findGarbage(store, { ...tomorrow, keepMoves })).map(({ key }) => key);
    assertEquals(await keys(2), []);
    // latest v5, champion v3, previous v2, staging v1: v4 was only ever the latest, one move ago.
    const [manifest, blob, ...others] = await keys(1);
    assertEquals(manifest, "models/pets/versions/v4/manifest.json");
    assertEquals(blob?.startsWith("blobs/sha256/"), true);
    assertEquals(others, []);
  });
});

Deno.test("findGarbage() spares weights that a kept version shares, and signatures go along", async () => {
  await withPets(["v1", "v2", "v3"], async (store, folder) => {
    const key = await readSigningKey(await makeSigningKey());
    await signVersion(store, "pets", "v1", key);
    // The same weights under a name that stays.
    const path = `${folder}/models/pets/versions/v3/manifest.json`;
    const v1 = JSON.parse(await Deno.readTextFile(path.replace("v3", "v1")));
    const v3 = JSON.parse(await Deno.readTextFile(path));
    await Deno.writeTextFile(path, JSON.stringify({ ...v3, weights: v1.weights }));
    const garbage = await findGarbage(store, { ...tomorrow, keepMoves: 1 });
    const keys = garbage.map(({ key }) => key);
    assertEquals(keys.includes(v1.weights.key), false);
    assertEquals(keys.includes(`models/pets/versions/v1/signatures/${key.keyId}.json`), true);
  });
});

Deno.test("findGarbage() spares the weights of a kept version's variants", async () => {
  await withPets(["v1"], async (store) => {
    const { schemaVersion: _schema, weights: _weights, ...manifest } = exampleManifest({
      version: "v2",
    });
    const { variants } = await publishModel(store, {
      weights: new Uint8Array([1]),
      manifest,
      variants: [{ weights: new Uint8Array([2]), description: { name: "int8" } }],
    }, DECISION);
    const garbage = await findGarbage(store, { ...tomorrow, keepMoves: 1 });
    assertEquals(garbage.some(({ key }) => key === variants![0]!.weights.key), false);
  });
});

Deno.test("findGarbage() spares what is young: its publisher may not be done", async () => {
  await withPets(["v1"], async (store) => {
    await store.put("blobs/sha256/abc", new Uint8Array([1]));
    await publishPets(store, "v2");
    const young = { keepMoves: 1, olderThanMs: HOUR, now: Date.now() };
    assertEquals(await findGarbage(store, young), []);
    const old = await findGarbage(store, { ...tomorrow, keepMoves: 1 });
    assertEquals(old.some(({ key }) => key === "blobs/sha256/abc"), true);
  });
});

Deno.test("findGarbage() spares what an unfinished retraining exported, until it has ended", async () => {
  await withPets(["v1"], async (store) => {
    const sha256 = "e".repeat(64);
    const put = (key: string, value: unknown) =>
      store.put(key, new TextEncoder().encode(JSON.stringify(value)));
    await store.put(blobKey(sha256), new Uint8Array([1]));
    await put(stageKey("pets", "r1", "export"), { key: "k", output: { sha256, byteLength: 1 } });
    for (const [state, spared] of [["failed", true], ["working", true], ["refused", false]]) {
      await put(latestRunKey("pets"), { run: "r1", state, endedAt: null });
      const keys = (await findGarbage(store, { ...tomorrow, keepMoves: 1 })).map(({ key }) => key);
      assertEquals(keys, spared ? [] : [blobKey(sha256)], String(state));
    }
  });
});
