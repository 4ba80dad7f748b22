import { assert, assertEquals, assertMatch } from "@std/assert";
import { createHash } from "node:crypto";
import { openStore } from "../../shared/object_store/open_store.ts";
import { fixture } from "../fixtures/colours.ts";
import { OPEN, startedApp } from "../fixtures/started_app.ts";
import { makeApiKey, parseApiKeys } from "../middleware/api_keys.ts";
import { Guard } from "../middleware/guard.ts";

const red = await fixture("red.png");
const blue = await fixture("blue.jpg");
const sha256 = createHash("sha256").update(red).digest("hex");

type Service = Awaited<ReturnType<typeof startedApp>>;

async function send({ app }: Service, body: BodyInit, query = "", headers: HeadersInit = {}) {
  const response = await app.request(`/v1/feedback${query}`, { method: "POST", body, headers });
  return { status: response.status, body: await response.json() };
}

async function stored({ folder }: Service): Promise<string[]> {
  return await Array.fromAsync(openStore(folder).list("incoming/"), ({ key }) => key);
}

async function sidecar({ folder }: Service, key: string) {
  const object = await openStore(folder).get(key);
  return JSON.parse(new TextDecoder().decode(object!.bytes));
}

Deno.test("POST /v1/feedback keeps image, label, answer, version and time where retraining looks", async () => {
  await using service = await startedApp({ feedback: true });
  const { status, body } = await send(service, red, "?label=green");
  assertEquals(status, 201);
  assertEquals(body, { model: "colours", version: "v1", label: "green", sha256, stored: true });
  const image = `incoming/colours/${sha256}.png`;
  const about = `incoming/colours/${sha256}.json`;
  assertEquals(await stored(service), [about, image]);
  assertEquals((await openStore(service.folder).get(image))?.bytes, red);
  const { label, at, source, version, answered, ...others } = await sidecar(service, about);
  assertEquals([label, source, version, others], ["green", "feedback", "v1", {}]);
  assert(Math.abs(Date.now() - Date.parse(at)) < 60_000 && at.endsWith("Z"));
  assertEquals([answered.length, answered[0].label, answered[0].index], [4, "red", 0]);
  const logged = service.lines.map((line) => JSON.parse(line)).find(({ event }) =>
    event === "feedback"
  );
  assertEquals([logged.label, logged.sha256], ["green", sha256]);
  assertMatch(logged.id, /^[0-9a-f-]{36}$/);
});

Deno.test("POST /v1/feedback sent twice changes nothing, and the first label stays", async () => {
  await using service = await startedApp({ feedback: true });
  await send(service, red, "?label=green");
  for (const label of ["green", "blue"]) {
    const { status, body } = await send(service, red, `?label=${label}`);
    assertEquals([status, body.stored], [200, false]);
  }
  const about = `incoming/colours/${sha256}.json`;
  assertEquals((await sidecar(service, about)).label, "green");
  assertEquals((await stored(service)).length, 2);
  // A service that ended between image and sidecar left the image alone: it is completed.
  await openStore(service.folder).delete(about);
  assertEquals((await send(service, red, "?label=blue")).status, 201);
  assertEquals((await sidecar(service, about)).label, "blue");
});

Deno.test("POST /v1/feedback takes forms and JSON, and many at once without a torn one", async () => {
  await using service = await startedApp({ feedback: true });
  const form = new FormData();
  form.append("file", new Blob([red]), "a.png");
  form.append("label", "white");
  assertEquals((await send(service, form)).status, 201);
  const json = { image: blue.toBase64(), label: "red", model: "colours" };
  const headers = { "Content-Type": "application/json" };
  const all = await Promise.all(
    Array.from({ length: 8 }, () => send(service, JSON.stringify(json), "", headers)),
  );
  assertEquals(all.map(({ status }) => status).sort(), [...Array(7).fill(200), 201]);
  const keys = await stored(service);
  assertEquals(keys.map((key) => key.split(".").at(-1)).sort(), ["jpg", "json", "json", "png"]);
});

Deno.test("POST /v1/feedback keeps nothing that is no image or has no label that the model knows", async () => {
  await using service = await startedApp({ feedback: true, maxBodyBytes: 5000 });
  const refused: [BodyInit, string, number, string][] = [
    ["no image", "?label=red", 415, "unsupported-image"],
    [red.subarray(0, 60), "?label=red", 422, "corrupt-image"],
    [red, "", 422, "unknown-label"],
    [red, "?label=purple", 422, "unknown-label"],
    [red, "?label=red&model=pets", 404, "model-not-found"],
    [new Uint8Array(6000), "?label=red", 413, "body-too-large"],
    ["", "?label=red", 400, "empty-body"],
  ];
  for (const [image, query, status, problem] of refused) {
    const answer = await send(service, image, query);
    assertEquals([answer.status, answer.body.type], [status, `/problems/${problem}`], query);
  }
  assertEquals(await stored(service), []);
});

Deno.test("POST /v1/feedback takes new labels where the operator does, plain ones alone", async () => {
  await using service = await startedApp({ feedback: true, newLabels: true });
  assertEquals((await send(service, red, "?label=deep%20purple")).body.label, "deep purple");
  for (const label of ["../../etc/passwd", "a\nb", "<b>", "x".repeat(101), " ", ".hidden"]) {
    const answer = await send(service, blue, `?label=${encodeURIComponent(label)}`);
    assertEquals([answer.status, answer.body.type], [422, "/problems/unknown-label"], label);
  }
  const offer = await (await service.app.request("/v1/feedback")).json();
  assertEquals(offer, {
    model: "colours",
    labels: ["red", "green", "blue", "white"],
    new_labels: true,
  });
});

Deno.test("/v1/feedback is not there unless it is turned on, and wants a key of its scope", async () => {
  await using off = await startedApp();
  assertEquals((await send(off, red, "?label=green")).status, 404);
  assertEquals((await off.app.request("/v1/feedback")).status, 404);
  assertEquals(await stored(off), []);

  const [user, corrector] = [makeApiKey(), makeApiKey()];
  const apiKeys = parseApiKeys(`web:classify:${user.sha256},staff:feedback:${corrector.sha256}`);
  const guard = new Guard({ ...OPEN, apiKeys });
  await using service = await startedApp({ feedback: true, guard });
  const status = async (key?: string) =>
    (await send(service, red, "?label=green", key === undefined ? {} : { "X-API-Key": key }))
      .status;
  assertEquals([await status(), await status(user.key)], [401, 403]);
  assertEquals(await status(corrector.key), 201);
  const asked = await service.post(red, "", { "X-API-Key": corrector.key });
  assertEquals(asked.status, 200);
});

Deno.test("POST /v1/feedback stores no more than a person says", async () => {
  await using service = await startedApp({ feedback: true });
  const statuses = new Set<number>();
  for (let i = 0; i < 40; i++) statuses.add((await send(service, "x", "?label=red")).status);
  assertEquals([...statuses], [415, 429]);
  assertEquals((await service.post(red)).status, 200);
});
