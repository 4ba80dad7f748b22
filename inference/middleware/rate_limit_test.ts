import { assertEquals } from "@std/assert";
import { Hono } from "hono";
import { createLog } from "../log.ts";
import type { ApiKeyVariables } from "./api_keys.ts";
import { installErrors } from "./errors.ts";
import { rateLimit } from "./rate_limit.ts";
import { requestLog, type RequestLogVariables } from "./request_log.ts";
import { Metrics } from "../telemetry/metrics.ts";

function limited(perMinute: number) {
  const clock = { ms: 0 };
  const log = createLog({ json: true, write: () => {} });
  const app = new Hono<{ Variables: RequestLogVariables & ApiKeyVariables }>();
  app.use(requestLog(log, new Metrics()));
  installErrors(app, log);
  app.use((c, next) => {
    const name = c.req.header("X-Name");
    if (name !== undefined) c.set("keyName", name);
    return next();
  });
  const addressOf = (c: { req: { header(name: string): string | undefined } }) =>
    c.req.header("X-Address") ?? "";
  app.use(rateLimit({ perMinute, addressOf, now: () => clock.ms }));
  app.get("/", (c) => c.text("answer"));
  const ask = async (headers: Record<string, string> = {}) => {
    const response = await app.request("/", { headers });
    await response.body?.cancel();
    return response;
  };
  return { ask, clock };
}

Deno.test("rateLimit() lets a minute's requests pass at once and then one at a time", async () => {
  const { ask, clock } = limited(6);
  for (let left = 5; left >= 0; left--) {
    const { status, headers } = await ask();
    assertEquals([status, headers.get("RateLimit-Remaining")], [200, String(left)]);
  }
  const refused = await ask();
  assertEquals(refused.status, 429);
  assertEquals(refused.headers.get("Retry-After"), "10");
  assertEquals(refused.headers.get("RateLimit-Limit"), "6");
  assertEquals(refused.headers.get("RateLimit-Reset"), "60");
  clock.ms = 9_999;
  assertEquals((await ask()).status, 429);
  clock.ms = 10_001;
  assertEquals((await ask()).status, 200);
  assertEquals((await ask()).status, 429);
  clock.ms = 1e9;
  assertEquals((await ask()).headers.get("RateLimit-Remaining"), "5");
});

Deno.test("rateLimit() counts keys and addresses apart", async () => {
  const { ask } = limited(1);
  const clients = [{ "X-Address": "a" }, { "X-Address": "b" }, { "X-Name": "a" }];
  for (const client of clients) assertEquals((await ask(client)).status, 200);
  for (const client of clients) assertEquals((await ask(client)).status, 429);
  assertEquals((await ask({ "X-Name": "a", "X-Address": "elsewhere" })).status, 429);
});

Deno.test("rateLimit() of zero limits nothing and forgets old clients above its bound", async () => {
  const free = limited(0);
  for (let i = 0; i < 100; i++) assertEquals((await free.ask()).status, 200);
  const { ask } = limited(1);
  await ask({ "X-Address": "first" });
  for (let i = 0; i < 10_000; i++) await ask({ "X-Address": String(i) });
  assertEquals((await ask({ "X-Address": "first" })).status, 200);
  assertEquals((await ask({ "X-Address": "9999" })).status, 429);
});
