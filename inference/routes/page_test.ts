import { assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import { startedApp } from "../fixtures/started_app.ts";

Deno.test("GET / says which model answers and its measured accuracy", async () => {
  await using service = await startedApp();
  const response = await service.app.request("/");
  assertEquals(response.status, 200);
  assertStringIncludes(response.headers.get("Content-Type")!, "text/html");
  const line = "colours v1, 4 classes. Measured on 40 test images: best guess right 87.5 %.";
  assertStringIncludes(await response.text(), line);
  assertEquals(await (await service.app.request("/page/model")).text(), line);
});

Deno.test("GET / escapes what comes from the manifest", async () => {
  await using service = await startedApp({}, {
    metrics: {
      split: "<img src=x onerror=alert(1)>",
      images: 1,
      top1Error: 0,
      top5Error: 0,
      loss: 0,
    },
  });
  const page = await (await service.app.request("/")).text();
  assertFalse(page.includes("<img src=x"));
  assertStringIncludes(page, "&lt;img src=x onerror=alert(1)&gt;");
});

Deno.test("GET / allows code and style from its own files alone", async () => {
  await using service = await startedApp();
  const response = await service.app.request("/");
  const policy = response.headers.get("Content-Security-Policy")!;
  const page = await response.text();
  assertMatch(policy, /default-src 'none'; script-src 'self'; style-src 'self';/);
  assertFalse(/unsafe|https?:/.test(policy), policy);
  assertFalse(/\s(on\w+|style)=/i.test(page), "an inline handler or style the policy would block");
  assertFalse(/<style|<script(?![^>]* src=)/.test(page), "inline code the policy would block");
});

Deno.test("GET / names files that the service has, and a browser may keep", async () => {
  await using service = await startedApp();
  const waiting = ["/"];
  const seen = new Map<string, string>();
  for (const path of waiting) {
    const response = await service.app.request(path);
    assertEquals(response.status, 200, path);
    seen.set(path, response.headers.get("ETag") ?? "");
    const named = /(?:src|href)="((?!data:)[^"]+)"|from "([^"]+)"/g;
    for (const [, attribute, module] of (await response.text()).matchAll(named)) {
      const found = new URL((attribute ?? module)!, `http://localhost${path}`);
      assertEquals(found.host, "localhost");
      if (!waiting.includes(found.pathname)) waiting.push(found.pathname);
    }
  }
  assertEquals(waiting.length, 11);
  const headers = { "If-None-Match": seen.get("/page/page.js")! };
  assertEquals((await service.app.request("/page/page.js", { headers })).status, 304);
});
