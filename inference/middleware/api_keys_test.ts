import { assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { Hono } from "hono";
import { createLog } from "../log.ts";
import { type ApiKeyVariables, makeApiKey, parseApiKeys, requireApiKey } from "./api_keys.ts";
import { installErrors } from "./errors.ts";
import { Metrics } from "../telemetry/metrics.ts";
import { requestLog, type RequestLogVariables } from "./request_log.ts";

const user = makeApiKey();
const rotated = makeApiKey();
const admin = makeApiKey();
const SETTING = `web:classify:${user.sha256}, web:classify:${rotated.sha256}
  ops:admin:${admin.sha256}`;

function guarded(setting: string) {
  const lines: string[] = [];
  const log = createLog({ json: true, write: (line) => lines.push(line) });
  const app = new Hono<{ Variables: RequestLogVariables & ApiKeyVariables }>();
  app.use(requestLog(log, new Metrics()));
  installErrors(app, log);
  const keys = parseApiKeys(setting);
  app.use("/ask", requireApiKey(keys, "classify", () => keys.length === 0));
  app.use("/manage", requireApiKey(keys, "admin", () => false));
  app.get("/*", (c) => c.text(c.var.keyName ?? "nobody"));
  return { app, lines };
}

Deno.test("requireApiKey() lets known keys of the scope pass, by either header", async () => {
  const { app } = guarded(SETTING);
  const text = async (path: string, headers: Record<string, string>) => {
    const response = await app.request(path, { headers });
    assertEquals(response.status, 200);
    return await response.text();
  };
  assertEquals(await text("/ask", { Authorization: `Bearer ${user.key}` }), "web");
  assertEquals(await text("/ask", { authorization: `bearer ${rotated.key}` }), "web");
  assertEquals(await text("/ask", { "X-API-Key": user.key }), "web");
  assertEquals(await text("/ask", { "X-API-Key": admin.key }), "ops");
  assertEquals(await text("/manage", { "X-API-Key": admin.key }), "ops");
});

Deno.test("requireApiKey() refuses no key, an unknown one and one of another scope", async () => {
  const { app, lines } = guarded(SETTING);
  const refused = async (path: string, headers: Record<string, string>) => {
    const response = await app.request(path, { headers });
    return [
      response.status,
      (await response.json()).type,
      response.headers.get("WWW-Authenticate"),
    ];
  };
  assertEquals(await refused("/ask", {}), [401, "/problems/key-missing", "Bearer"]);
  const unknown = { Authorization: `Bearer ${makeApiKey().key}` };
  assertEquals((await refused("/ask", unknown)).slice(0, 2), [401, "/problems/key-unknown"]);
  for (const wrong of [user.sha256, user.key + "x", user.key.slice(1), "é"]) {
    assertEquals((await refused("/ask", { "X-API-Key": encodeURI(wrong) }))[0], 401);
  }
  const low = { "X-API-Key": user.key };
  assertEquals((await refused("/manage", low)).slice(0, 2), [403, "/problems/key-scope"]);
  assertEquals(lines.some((line) => line.includes(user.key)), false, "a key is in the log");
});

Deno.test("requireApiKey() asks for none where none is set, but for an admin's", async () => {
  const { app } = guarded("");
  assertEquals(await (await app.request("/ask")).text(), "nobody");
  assertEquals((await app.request("/manage")).status, 401);
});

Deno.test("makeApiKey() never repeats itself, and parseApiKeys() shows no hash when it refuses", () => {
  assertMatch(user.key, /^tf_[\w-]{43}$/);
  assertNotEquals(user.key, rotated.key);
  for (const wrong of [`web:root:${user.sha256}`, `web:classify:${user.key}`, "web", user.sha256]) {
    const error = assertThrows(() => parseApiKeys(`${SETTING},${wrong}`), SyntaxError, "API key 4");
    assertEquals(error.message.includes(user.sha256), false);
  }
});
