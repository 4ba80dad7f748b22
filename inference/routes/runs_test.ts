import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { openStore } from "../../shared/object_store/open_store.ts";
import { latestRunKey, runPageKey } from "../../shared/registry/keys.ts";
import { OPEN, startedApp } from "../fixtures/started_app.ts";
import { Guard } from "../middleware/guard.ts";

const RUN = "20261128-040000-0001";
const GATE = { promote: true, champion: null, run: RUN, reasons: ["it is good"] };

Deno.test("GET /models/{model}/runs/{run} shows a run's page, which may run and fetch nothing", async () => {
  await using service = await startedApp({}, { gate: GATE });
  const store = openStore(service.folder);
  const page = new TextEncoder().encode("<!doctype html><title>a run</title>");
  await store.put(runPageKey("colours", RUN), page);
  await store.put(runPageKey("hidden", RUN), page);
  const get = (path: string) => service.app.request(path);

  assertEquals((await get("/models/colours/runs/latest")).status, 404);
  await store.put(latestRunKey("colours"), new TextEncoder().encode(JSON.stringify({ run: RUN })));
  const latest = await get("/models/colours/runs/latest");
  assertEquals([latest.status, latest.headers.get("Location")], [
    302,
    `/models/colours/runs/${RUN}`,
  ]);

  const shown = await get(`/models/colours/runs/${RUN}`);
  assertEquals([shown.status, await shown.text()], [200, new TextDecoder().decode(page)]);
  assertMatch(shown.headers.get("Content-Security-Policy")!, /^sandbox; default-src 'none'/);
  for (
    const path of ["colours/runs/other", "hidden/runs/" + RUN, "colours/runs/..%2Fx", "x/runs/y"]
  ) {
    const missing = await get(`/models/${path}`);
    assertEquals(missing.status, 404, path);
    assertEquals(missing.headers.get("Content-Type"), "application/problem+json");
  }
  assertStringIncludes(await (await get("/")).text(), `<a href="/models/colours/runs/${RUN}">`);
});

Deno.test("GET /models/{model}/runs/{run} asks for a key where there are keys", async () => {
  const key = { name: "ann", scope: "classify" as const, sha256: new Uint8Array(32) };
  await using service = await startedApp({ guard: new Guard({ ...OPEN, apiKeys: [key] }) });
  assertEquals((await service.app.request("/models/colours/runs/latest")).status, 401);
});
