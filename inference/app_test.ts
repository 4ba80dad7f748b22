import { assert, assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import { type AppOptions, createApp } from "./app.ts";
import { openStore } from "../shared/object_store/open_store.ts";
import { Canaries } from "./canary/canaries.ts";
import { Classifier } from "./classifier.ts";
import { fixture } from "./fixtures/colours.ts";
import { hostOf, NO_FETCHER, OPEN, startedApp } from "./fixtures/started_app.ts";
import { createLog } from "./log.ts";
import { Guard } from "./middleware/guard.ts";
import { PROBLEMS } from "./problem.ts";
import { Metrics } from "./telemetry/metrics.ts";

/** The app before any model is loaded; none of its workers has been started. */
function unloadedApp(write: (line: string) => void = () => {}, changes: Partial<AppOptions> = {}) {
  const { host, decoders } = hostOf("nowhere");
  const bounds = { queueCapacity: 1, maxPixels: 1, deadlineMs: 1000, cacheEntries: 0 };
  const classifier = new Classifier({ ...bounds, host, decoders });
  const log = createLog({ json: true, write });
  const store = openStore("nowhere");
  return createApp({
    classifier,
    host,
    store,
    canaries: new Canaries({ store, host, log, idle: () => true }),
    maxBodyBytes: 1000,
    bodySeconds: 10,
    guard: new Guard(OPEN),
    fetcher: NO_FETCHER,
    newLabels: false,
    log,
    metrics: new Metrics(),
    ...changes,
  });
}

Deno.test("createApp() without a model is alive, not ready, and says when to ask again", async () => {
  const app = unloadedApp();
  assertEquals((await app.request("/healthz")).status, 200);
  const requests = [
    app.request("/readyz"),
    app.request("/v1/classify", { method: "POST", body: await fixture("red.png") }),
  ];
  for (const response of await Promise.all(requests)) {
    assertEquals(response.status, 503);
    assertMatch(response.headers.get("Retry-After")!, /^[1-9]\d*$/);
    assertEquals((await response.json()).type, "/problems/model-not-loaded");
  }
  assertStringIncludes(await (await app.request("/")).text(), "The model is being loaded");
});

Deno.test("GET /readyz names the model that is loaded", async () => {
  await using service = await startedApp();
  const response = await service.app.request("/readyz");
  assertEquals(response.status, 200);
  assertEquals(await response.json(), { status: "ready", model: "colours", version: "v1" });
  assertEquals(response.headers.get("Cache-Control"), "no-store");
});

Deno.test("createApp() answers 404 to unknown addresses", async () => {
  const app = unloadedApp();
  for (const path of ["/nothing", "/v1/classify/x", "/problems/unheard-of", "/favicon.ico"]) {
    const response = await app.request(path);
    assertEquals(response.status, 404, path);
    assertEquals(response.headers.get("Content-Type"), "application/problem+json");
    assertEquals((await response.json()).type, "/problems/not-found");
  }
});

Deno.test("createApp() answers 405 with the methods that an address has", async () => {
  const app = unloadedApp();
  const wrong = [
    ["GET", "/v1/classify", ["POST"]],
    ["PUT", "/v1/classify", ["POST"]],
    ["POST", "/", ["GET", "HEAD"]],
    ["DELETE", "/healthz", ["GET", "HEAD"]],
  ] as const;
  for (const [method, path, allowed] of wrong) {
    const response = await app.request(path, { method });
    assertEquals(response.status, 405, `${method} ${path}`);
    assertEquals(response.headers.get("Allow")?.split(", ").sort(), [...allowed]);
    assertEquals((await response.json()).type, "/problems/method-not-allowed");
  }
});

Deno.test("createApp() answers HEAD where it answers GET", async () => {
  const response = await unloadedApp().request("/healthz", { method: "HEAD" });
  assertEquals([response.status, await response.text()], [200, ""]);
});

Deno.test("GET /problems/:name explains every type that an answer can have", async () => {
  const app = unloadedApp();
  for (const [name, { title, help }] of Object.entries(PROBLEMS)) {
    const response = await app.request(`/problems/${name}`);
    assertEquals(response.status, 200);
    const text = await response.text();
    assertStringIncludes(text, title);
    assertStringIncludes(text, help);
  }
});

Deno.test("createApp() puts the safe headers on answers of every kind", async () => {
  const app = unloadedApp();
  for (const path of ["/healthz", "/readyz", "/nothing", "/"]) {
    const { headers } = await app.request(path);
    assertEquals(headers.get("X-Content-Type-Options"), "nosniff", path);
    assertEquals(headers.get("X-Frame-Options"), "DENY", path);
    assertStringIncludes(headers.get("Content-Security-Policy")!, "default-src 'none'", path);
    assertMatch(headers.get("X-Request-Id")!, /^[0-9a-f-]{36}$/, path);
  }
});

Deno.test("createApp() logs one line a request, with the id of the answer, and no probes", async () => {
  const lines: string[] = [];
  const app = unloadedApp((line) => lines.push(line));
  await app.request("/healthz");
  await app.request("/readyz");
  const forged = { "X-Request-Id": '00000000"-0000' };
  const response = await app.request("/nothing?secret=1", { headers: forged });
  assertEquals(lines.length, 1);
  const { event, method, path, status, id } = JSON.parse(lines[0]!);
  assertEquals([event, method, path, status], ["request", "GET", "/nothing", 404]);
  assertEquals(id, response.headers.get("X-Request-Id"));
  assertFalse(lines[0]!.includes("secret"));
  assertFalse(lines[0]!.includes("00000000"));
});

Deno.test("createApp() answers 500 to its own fault and logs the cause under the same id", async () => {
  const lines: string[] = [];
  const { host } = hostOf("nowhere");
  host.find = () => {
    throw new Error("the disk at /srv/secret is gone");
  };
  const app = unloadedApp((line) => lines.push(line), { host });
  const response = await app.request("/readyz");
  assertEquals(response.status, 500);
  const text = await response.text();
  assertFalse(text.includes("secret"));
  const failure = lines.map((line) => JSON.parse(line)).find(({ event }) => event === "failed");
  assertStringIncludes(failure.cause, "the disk at /srv/secret is gone");
  assert(text.includes(failure.id));
});
