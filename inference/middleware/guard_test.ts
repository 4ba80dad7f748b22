import { assertEquals } from "@std/assert";
import { Hono } from "hono";
import { OPEN } from "../fixtures/started_app.ts";
import { createLog } from "../log.ts";
import { type ApiKeyVariables, makeApiKey, parseApiKeys } from "./api_keys.ts";
import { installErrors } from "./errors.ts";
import { Guard, type GuardOptions } from "./guard.ts";
import { Metrics } from "../telemetry/metrics.ts";
import { requestLog, type RequestLogVariables } from "./request_log.ts";

function guarded(options: Partial<GuardOptions>) {
  const log = createLog({ json: true, write: () => {} });
  const app = new Hono<{ Variables: RequestLogVariables & ApiKeyVariables }>();
  app.use(requestLog(log, new Metrics()));
  installErrors(app, log);
  new Guard({ ...OPEN, ...options }).protect(app, {
    "/v1/*": "classify",
    "/v2/repository/*": "admin",
  });
  for (const path of ["/", "/healthz", "/v1/classify", "/v2/repository/index"]) {
    app.all(path, (c) => c.text("answer"));
  }
  const address = (hostname: string) => ({ remoteAddr: { hostname } });
  return (
    path: string,
    headers: Record<string, string> = {},
    from = "192.0.2.1",
    method = "POST",
  ) => app.request(path, { method, headers }, address(from));
}

Deno.test("Guard guards what computes and what changes models, and nothing else", async () => {
  const [user, admin] = [makeApiKey(), makeApiKey()];
  const setting = `web:classify:${user.sha256},ops:admin:${admin.sha256}`;
  const ask = guarded({ apiKeys: parseApiKeys(setting) });
  const status = async (path: string, key?: string) =>
    (await ask(path, key === undefined ? {} : { "X-API-Key": key })).status;
  for (const path of ["/", "/healthz"]) assertEquals(await status(path), 200);
  for (const path of ["/v1/classify", "/v2/repository/index"]) {
    assertEquals(await status(path), 401);
  }
  assertEquals(await status("/v1/classify", user.key), 200);
  assertEquals(await status("/v2/repository/index", user.key), 403);
  assertEquals(await status("/v2/repository/index", admin.key), 200);
});

Deno.test("Guard lets everybody ask where the service is open, and asks the rest for keys", async () => {
  const admin = makeApiKey();
  const ask = guarded({ open: true, apiKeys: parseApiKeys(`ops:admin:${admin.sha256}`) });
  assertEquals((await ask("/v1/classify")).status, 200);
  assertEquals((await ask("/v1/classify", { "X-API-Key": "of another service" })).status, 200);
  assertEquals((await ask("/v2/repository/index")).status, 401);
  assertEquals((await ask("/v2/repository/index", { "X-API-Key": admin.key })).status, 200);
});

Deno.test("Guard counts by the address of the connection, or by what trusted proxies saw", async () => {
  const forged = (n: number) => ({ "X-Forwarded-For": `198.51.100.${n}` });
  const direct = guarded({ requestsPerMinute: 1 });
  assertEquals((await direct("/v1/classify", forged(1))).status, 200);
  assertEquals((await direct("/v1/classify", forged(2))).status, 429);
  assertEquals((await direct("/v1/classify", {}, "192.0.2.2")).status, 200);
  const proxied = guarded({ requestsPerMinute: 1, trustedProxies: 1 });
  const through = (forgery: string, client: string) =>
    proxied("/v1/classify", { "X-Forwarded-For": `${forgery}, ${client}` });
  assertEquals((await through("203.0.113.1", "198.51.100.1")).status, 200);
  assertEquals((await through("203.0.113.2", "198.51.100.1")).status, 429);
  assertEquals((await through("203.0.113.2", "198.51.100.2")).status, 200);
});

Deno.test("Guard answers the preflight of allowed origins without a key, and no others", async () => {
  const apiKeys = parseApiKeys(`web:classify:${makeApiKey().sha256}`);
  const ask = guarded({ apiKeys, corsOrigins: ["https://shop.example"] });
  const preflight = async (Origin: string) => {
    const headers = { Origin, "Access-Control-Request-Method": "POST" };
    const response = await ask("/v1/classify", headers, "192.0.2.1", "OPTIONS");
    return [response.status, response.headers.get("Access-Control-Allow-Origin")];
  };
  assertEquals(await preflight("https://shop.example"), [204, "https://shop.example"]);
  assertEquals((await preflight("https://evil.example"))[1], null);
  const silent = guarded({});
  const answer = await silent("/v1/classify", { Origin: "https://shop.example" });
  assertEquals(answer.headers.get("Access-Control-Allow-Origin"), null);
});
