import { assert, assertEquals } from "@std/assert";
import { fixture } from "../fixtures/colours.ts";
import { startedApp } from "../fixtures/started_app.ts";

const red = await fixture("red.png");

/** Milliseconds by name. */
function timings({ headers }: Response): Record<string, number> {
  return Object.fromEntries(
    headers.get("Server-Timing")!.split(", ").map((part) => {
      const [name, value] = part.split(/;(?:dur|desc)=/);
      return [name!, Number(value)];
    }),
  );
}

Deno.test("serverTiming() says where an answer's time went, and what a cold start cost its first one", async () => {
  await using service = await startedApp({ cacheEntries: 4 });
  const first = timings(await service.post(red));
  const parts = ["queue", "decode", "preprocess", "run"];
  const load = ["load-session", "load-warmup"];
  assertEquals(Object.keys(first), [...parts, "total", ...load]);
  const spent = parts.reduce((sum, name) => sum + first[name]!, 0);
  assert(spent <= first["total"]! + 0.1 && first["run"]! > 0, JSON.stringify(first));
  assertEquals(Object.keys(timings(await service.post(red, "?top=1"))), [...parts, "total"]);
  assertEquals(Object.keys(timings(await service.post(red, "?top=1"))), ["cache", "total"]);
  assertEquals(Object.keys(timings(await service.app.request("/readyz"))), load);
});

Deno.test("serverTiming() has the protocols' answers too, and nothing that is no image", async () => {
  await using service = await startedApp();
  const inputs = [{ name: "x", datatype: "BYTES", shape: [1], data: [red.toBase64()] }];
  const init = { method: "POST", body: JSON.stringify({ inputs }) };
  assert(timings(await service.app.request("/v2/models/colours/infer", init))["run"]! > 0);
  const face = await service.app.request("/hf/colours", { method: "POST", body: red });
  assert(timings(face)["run"]! > 0);
  const refused = await service.post("no image");
  assertEquals(refused.headers.get("Server-Timing"), null);
});
