import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fixture } from "../fixtures/colours.ts";
import { publishColours } from "../fixtures/colours_store.ts";
import { OPEN, startedApp } from "../fixtures/started_app.ts";
import { makeApiKey, parseApiKeys } from "../middleware/api_keys.ts";
import { Guard } from "../middleware/guard.ts";

const red = await fixture("red.png");
const LOCAL = { remoteAddr: { hostname: "127.0.0.1" } };

type Service = Awaited<ReturnType<typeof startedApp>>;

/** The samples by `name{labels}`. */
async function read({ app }: Service): Promise<Map<string, number>> {
  const response = await app.request("/metrics", {}, LOCAL);
  assertEquals(response.status, 200);
  assertStringIncludes(response.headers.get("Content-Type")!, "text/plain; version=0.0.4");
  const lines = (await response.text()).trimEnd().split("\n");
  return new Map(
    lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => {
      const [, sample, value] = /^([a-z_]+(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
      assert(sample !== undefined, line);
      return [sample, Number(value)];
    }),
  );
}

Deno.test("GET /metrics counts images, runs, requests and problems under Triton's names and ours", async () => {
  await using service = await startedApp({ cacheEntries: 4 });
  await service.post(red);
  await service.post(red);
  await service.post(red.subarray(0, 40));
  await service.post("hello");
  await service.post(red, "?views=10");
  await service.app.request("/nothing");
  const samples = await read(service);
  const of = (name: string) => samples.get(`${name}{model="colours",version="v1"}`);
  assertEquals(of("nv_inference_request_success"), 3);
  assertEquals(of("nv_inference_request_failure"), 2);
  assertEquals(of("nv_inference_count"), 11);
  const runs = of("nv_inference_exec_count")!;
  assert(runs >= 3 && runs <= 11, `${runs} runs`);
  assertEquals(of("nv_cache_num_hits_per_model"), 1);
  assertEquals(of("nv_inference_pending_request_count"), 0);
  const spent = ["queue", "compute_input", "compute_infer", "compute_output"].map((part) =>
    of(`nv_inference_${part}_duration_us`)!
  );
  const whole = of("nv_inference_request_duration_us")!;
  assert(spent.every((value) => value >= 0) && spent[2]! > 0);
  assert(spent.reduce((sum, value) => sum + value) <= whole * 1.001, `${spent} of ${whole}`);

  const image = (outcome: string) =>
    samples.get(`topfive_images_total{model="colours",outcome="${outcome}"}`);
  assertEquals([image("answered"), image("cached")], [2, 1]);
  assertEquals([image("corrupt-image"), image("unsupported-image")], [1, 1]);
  assertEquals(samples.get(`topfive_problems_total{problem="not-found"}`), 1);
  const request = (route: string, status: number, method = "POST") =>
    samples.get(
      `topfive_http_requests_total{route="${route}",method="${method}",status="${status}"}`,
    );
  assertEquals([request("/v1/classify", 200), request("/v1/classify", 415)], [3, 1]);
  assertEquals(request("none", 404, "GET"), 1);
  const runStage = `topfive_stage_duration_seconds_count{model="colours",stage="run"}`;
  assertEquals(samples.get(runStage), 2);
  assertEquals(samples.get(`topfive_batch_size_count{model="colours"}`), runs);
  assertEquals(
    samples.get(`topfive_model_state{model="colours",version="v1",state="ready"}`),
    1,
  );
  assert(
    samples.get(`topfive_model_load_seconds{model="colours",version="v1",stage="session"}`)! > 0,
  );
  assertEquals(
    samples.get(`topfive_model_created_timestamp_seconds{model="colours",version="v1"}`),
    Date.parse("2026-11-24T00:00:00Z") / 1000,
  );
  assert(samples.get("process_resident_memory_bytes")! > 1e7);
  assertEquals(samples.get("topfive_decoders_replaced_total"), 0);
});

Deno.test("GET /metrics tells of a refused version, and forgets those that are gone", async () => {
  await using service = await startedApp();
  await service.post(red);
  await publishColours(service.folder, { version: "v2" });
  await service.host.poll();
  await publishColours(service.folder, {
    version: "v3",
    input: { name: "data", shape: [-1, 3, 16, 16] },
  });
  await service.host.poll();
  const samples = await read(service);
  const names = [...samples.keys()];
  assertEquals(names.filter((name) => name.includes(`version="v1"`)), []);
  assertEquals(samples.get(`nv_inference_count{model="colours",version="v2"}`), 0);
  assertEquals(
    samples.get(`topfive_model_state{model="colours",version="v3",state="unavailable"}`),
    1,
  );
  const loads = (outcome: string) =>
    samples.get(`topfive_model_loads_total{model="colours",outcome="${outcome}"}`);
  assertEquals([loads("loaded"), loads("refused")], [2, 1]);
});

Deno.test("GET /metrics has no label that a client can invent", async () => {
  await using service = await startedApp();
  const sizes: number[] = [];
  for (let i = 0; i < 20; i++) {
    await service.app.request(`/made-up-${i}`, { method: `M${i}` });
    await service.post(red, `?model=made-up-${i}`);
    await service.app.request(`/v2/models/made-up-${i}/infer`, { method: "POST", body: "{}" });
    sizes.push((await read(service)).size);
  }
  // The first reading of the metrics is itself a request that the second one counts.
  assertEquals(new Set(sizes.slice(1)).size, 1);
  assertEquals([...(await read(service)).keys()].filter((name) => /made-up|M\d/.test(name)), []);
});

Deno.test("GET /metrics is for this machine, or for keys of the scope where there are keys", async () => {
  const status = async (service: Service, hostname: string, headers: Record<string, string> = {}) =>
    (await service.app.request("/metrics", { headers }, { remoteAddr: { hostname } })).status;
  await using open = await startedApp();
  assertEquals(await status(open, "127.0.0.1"), 200);
  assertEquals(await status(open, "::ffff:127.0.0.1"), 200);
  assertEquals(await status(open, "192.0.2.1"), 401);
  assertEquals(await status(open, "127.0.0.1", { "X-Forwarded-For": "192.0.2.1" }), 401);

  const [scraper, user, admin] = [makeApiKey(), makeApiKey(), makeApiKey()];
  const apiKeys = parseApiKeys(
    `prometheus:metrics:${scraper.sha256},web:classify:${user.sha256},ops:admin:${admin.sha256}`,
  );
  await using kept = await startedApp({ guard: new Guard({ ...OPEN, apiKeys }) });
  const bearer = ({ key }: { key: string }) => ({ Authorization: `Bearer ${key}` });
  assertEquals(await status(kept, "127.0.0.1"), 401);
  assertEquals(await status(kept, "192.0.2.1", bearer(scraper)), 200);
  assertEquals(await status(kept, "192.0.2.1", bearer(admin)), 200);
  assertEquals(await status(kept, "192.0.2.1", bearer(user)), 403);
  const image = { method: "POST", body: red, headers: bearer(scraper) };
  assertEquals((await kept.app.request("/v1/classify", image)).status, 403);
  assertMatch(kept.lines.join("\n"), /"key":"prometheus"/);
});
