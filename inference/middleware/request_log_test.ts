import { assert, assertEquals, assertFalse } from "@std/assert";
import { fixture } from "../fixtures/colours.ts";
import { OPEN, startedApp } from "../fixtures/started_app.ts";
import { makeApiKey, parseApiKeys } from "./api_keys.ts";
import { Guard } from "./guard.ts";

const red = await fixture("red.png");

function last(lines: readonly string[]): Record<string, unknown> {
  return JSON.parse(lines.at(-1)!);
}

Deno.test("requestLog() writes where an image's time went, and which model answered", async () => {
  await using service = await startedApp({ cacheEntries: 4 });
  await service.post(red);
  const line = last(service.lines);
  assertEquals([line["model"], line["version"], line["images"]], ["colours", "v1", 1]);
  const stages = ["queue_ms", "decode_ms", "preprocess_ms", "run_ms"].map((name) => line[name]);
  assert(stages.every((value) => typeof value === "number" && value >= 0), stages.join());
  assert(stages.reduce<number>((sum, value) => sum + Number(value), 0) <= Number(line["ms"]) + 1);
  await service.post(red);
  assertEquals(last(service.lines)["cached"], 1);

  const form = new FormData();
  for (const name of ["a", "b"]) form.append(name, new Blob([red, name]), name);
  form.append("c", new Blob(["no image"]), "c");
  await service.post(form);
  assertEquals(last(service.lines)["images"], 2, "the third has no answer");
  await service.app.request("/hf/colours", { method: "POST", body: red });
  assertEquals(last(service.lines)["version"], "v1");
});

Deno.test("requestLog() names key and problem, takes the client's id and trace, and nothing secret", async () => {
  const { key, sha256 } = makeApiKey();
  const guard = new Guard({ ...OPEN, apiKeys: parseApiKeys(`shop:classify:${sha256}`) });
  await using service = await startedApp({ guard });
  const ids = {
    "X-Request-Id": "order-0001-abcd",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  };
  const answered = await service.post(red, `?top=1&token=${key}`, { "X-API-Key": key, ...ids });
  assertEquals(answered.headers.get("X-Request-Id"), "order-0001-abcd");
  const { id, trace, key: name, status } = last(service.lines);
  assertEquals([id, name, status], ["order-0001-abcd", "shop", 200]);
  assertEquals(trace, "0af7651916cd43dd8448eb211c80319c");

  const refused = await service.post(red, "", { "X-API-Key": `${key}x`, ...ids });
  assertEquals((await refused.json()).instance, "/requests/order-0001-abcd");
  assertEquals(last(service.lines)["problem"], "key-unknown");
  const written = service.lines.join("\n");
  for (const secret of [key, sha256, red.toBase64().slice(0, 40), "token"]) {
    assertFalse(written.includes(secret), secret);
  }
});

Deno.test("requestLog() keeps a long or hostile path short and on its line", async () => {
  await using service = await startedApp();
  await service.app.request(`/${"x".repeat(5000)}`);
  assertEquals(String(last(service.lines)["path"]).length, 200);
  await service.app.request("/a%0A%7B%22forged%22%3Atrue%7D");
  assertFalse("forged" in last(service.lines));
});
