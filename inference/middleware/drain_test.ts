import { assertEquals } from "@std/assert";
import { Hono } from "hono";
import { createLog } from "../log.ts";
import { Drain } from "./drain.ts";
import { installErrors } from "./errors.ts";
import { requestLog, type RequestLogVariables } from "./request_log.ts";
import { Metrics } from "../telemetry/metrics.ts";

/** An app whose one route answers when `release` is called. */
function heldApp() {
  const gate = Promise.withResolvers<void>();
  const drain = new Drain();
  const log = createLog({ json: true, write: () => {} });
  const app = new Hono<{ Variables: RequestLogVariables }>();
  app.use(requestLog(log, new Metrics()));
  installErrors(app, log);
  app.use(drain.middleware);
  app.get("/", async (c) => {
    await gate.promise;
    return c.text("done");
  });
  return { app, drain, release: () => gate.resolve() };
}

Deno.test("Drain begin() resolves at once when nothing is open", async () => {
  await heldApp().drain.begin();
});

Deno.test("Drain begin() waits for open requests and refuses new ones by 503", async () => {
  const { app, drain, release } = heldApp();
  const open = [app.request("/"), app.request("/")];
  let ended = false;
  const draining = drain.begin().then(() => ended = true);

  const refused = await app.request("/");
  assertEquals(refused.status, 503);
  assertEquals(refused.headers.get("Retry-After"), "1");
  assertEquals(refused.headers.get("Connection"), "close");
  assertEquals((await refused.json()).type, "/problems/stopping");
  assertEquals(ended, false);

  release();
  for (const response of await Promise.all(open)) assertEquals(await response.text(), "done");
  await draining;
});

Deno.test("Drain begin() counts a request that failed as answered", async () => {
  const { app, drain } = heldApp();
  assertEquals((await app.request("/nothing")).status, 404);
  await drain.begin();
});
