import { assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { startedApp } from "../fixtures/started_app.ts";

Deno.test("GET / says which model answers and its measured error", async () => {
  await using service = await startedApp();
  const response = await service.app.request("/");
  assertEquals(response.status, 200);
  assertStringIncludes(response.headers.get("Content-Type")!, "text/html");
  const page = await response.text();
  assertStringIncludes(
    page,
    "colours v1, 4 classes. Measured on 40 test images: best guess wrong 12.5 %.",
  );
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

Deno.test("GET / allows its own script and style by hash, and nothing else", async () => {
  await using service = await startedApp();
  const response = await service.app.request("/");
  const policy = response.headers.get("Content-Security-Policy")!;
  const page = await response.text();
  for (const tag of ["script", "style"]) {
    const inline = page.match(new RegExp(`<${tag}>([^]*?)</${tag}>`))![1]!;
    const hash = createHash("sha256").update(inline).digest("base64");
    assertStringIncludes(policy, `${tag}-src 'sha256-${hash}'`);
  }
  assertFalse(/unsafe|https?:/.test(policy), policy);
  assertFalse(/\s(on\w+|style)=/i.test(page), "an inline handler or style the policy would block");
});

Deno.test("GET / asks for nothing from outside", async () => {
  await using service = await startedApp();
  const page = await (await service.app.request("/")).text();
  const markup = page.replace(/<script>[^]*<\/script>/, "");
  const addresses = [...markup.matchAll(/\b(?:src|href|action)="([^"]*)"|url\(([^)]*)\)|@import/g)];
  assertEquals(addresses.map(([, target]) => target), ["data:,"]);
  assertFalse(/https?:\/\//.test(page));
});
