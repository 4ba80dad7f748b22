// infra/bucket's policies, given to users of a real IAM service, allow what each role does, no more.
import { assertEquals, assertRejects } from "@std/assert";
import { fixture } from "../../inference/fixtures/colours.ts";
import { coloursManifest } from "../../inference/fixtures/colours.ts";
import { Incoming } from "../../inference/feedback/incoming.ts";
import { publishModel, readManifest } from "../../shared/model_registry.ts";
import { readWeights } from "../../shared/registry/weights.ts";
import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import { readPointer } from "../../shared/registry/pointer.ts";
import { promote } from "../../training/registry/champion.ts";
import { hasS3Server } from "../object_store/s3_server.ts";
import { type Role, ROLES, startWithRoles } from "./policies.ts";

const bytes = new TextEncoder().encode("x");

/** What a store can do with a key, and who may. */
const OPERATIONS: [name: string, may: Role[], work: (store: ObjectStore) => Promise<unknown>][] = [
  ["read a model", ["server", "trainer"], (store) => store.get("models/a/aliases/latest.json")],
  ["read weights", ["server", "trainer"], (store) => store.get("blobs/sha256/a")],
  ["learn that one is missing", ["server", "trainer"], (store) => store.get("models/b/none")],
  ["list models", ["server", "trainer"], (store) => Array.fromAsync(store.list("models/"))],
  ["read an image", ["trainer"], (store) => store.get("incoming/a/cat/1.jpg")],
  ["bring an image", ["feedback"], (store) => store.put("incoming/a/cat/2.jpg", bytes)],
  ["move a pointer", ["trainer"], (store) => store.put("models/a/aliases/champion.json", bytes)],
  ["write weights", ["trainer"], (store) => store.put("blobs/sha256/b", bytes)],
  ["delete a model", [], (store) => store.delete("models/a/versions/v1/manifest.json")],
  ["delete weights", [], (store) => store.delete("blobs/sha256/a")],
  ["delete an image", [], (store) => store.delete("incoming/a/cat/1.jpg")],
  [
    "delete an old checkpoint",
    ["trainer"],
    (store) => store.delete("models/a/runs/1/training/checkpoints/step-1"),
  ],
];

Deno.test({
  name: "each role's policy allows what it needs and nothing else",
  ignore: !hasS3Server,
  async fn() {
    const { server, keys } = await startWithRoles();
    await using _ = server;
    const owner = server.store();
    for (
      const key of [
        "models/a/aliases/latest.json",
        "models/a/versions/v1/manifest.json",
        "models/a/runs/1/training/checkpoints/step-1",
        "blobs/sha256/a",
        "incoming/a/cat/1.jpg",
      ]
    ) await owner.put(key, bytes);
    const found: Record<string, Role[]> = {};
    for (const [name, , work] of OPERATIONS) {
      found[name] = [];
      for (const role of ROLES) {
        const done = await work(server.store(keys[role])).then(() => true, () => false);
        if (done) found[name].push(role);
      }
    }
    assertEquals(found, Object.fromEntries(OPERATIONS.map(([name, may]) => [name, may])));
    const open = '{"Version":"2012-10-17","Statement":[]}';
    for (const role of ROLES) {
      const key = keys[role];
      assertEquals((await server.request("PUT", "?policy", { key, body: open })).status, 403);
      assertEquals((await server.request("DELETE", "", { key })).status, 403);
      assertEquals((await server.request("GET", "?versions", { key })).status, 403);
    }
  },
});

Deno.test({
  name: "the trainer's key publishes and promotes, the server's reads it; a replaced key is dead",
  ignore: !hasS3Server,
  async fn() {
    const { server, keys } = await startWithRoles();
    await using _ = server;
    const trainer = server.store(keys.trainer);
    const who = { by: "a test", reason: "to see whether it may" };
    const weights = await fixture("colours.onnx");
    await publishModel(trainer, { weights, manifest: coloursManifest() }, who);
    await promote(trainer, "colours", "v1", who);

    const reading = server.store(keys.server);
    const pointer = await readPointer(reading, "colours", "champion");
    const manifest = await readManifest(reading, "colours", pointer!.version);
    assertEquals(await readWeights(reading, manifest!), weights);

    const next = await server.createKey("server");
    await server.deleteKey("server", keys.server);
    await assertRejects(() => reading.get("models/colours/aliases/latest.json"));
    assertEquals((await readPointer(server.store(next), "colours", "champion"))?.version, "v1");
  },
});

Deno.test({
  name: "the feedback key keeps what a person said, once, and cannot read it back",
  ignore: !hasS3Server,
  async fn() {
    const { server, keys } = await startWithRoles();
    await using _ = server;
    const incoming = new Incoming(server.store(keys.feedback, "incoming"));
    const image = await fixture("red.png");
    const said = { model: "colours", image, label: "red", version: "v1", answered: [] };
    const first = await incoming.keep(said);
    assertEquals(first.stored, true);
    assertEquals((await incoming.keep(said)).stored, false);
    const key = `incoming/colours/${first.sha256}.png`;
    assertEquals((await server.store(keys.trainer).get(key))?.bytes, image);
    await assertRejects(() => server.store(keys.feedback).get(key));
    await assertRejects(() => server.store(keys.server).get(key));
  },
});
