import { assertEquals, assertStringIncludes } from "@std/assert";
import { createHmac } from "node:crypto";
import { deliver } from "./webhook.ts";

const FAST = { backoffMs: 1, timeoutMs: 500 };
const SECRET = "whsec_" + new TextEncoder().encode("0123456789abcdef").toBase64();

/** A receiver that answers with these codes in turn, the last one for ever; 0 never answers. */
function receiver(codes: readonly number[]) {
  const requests: { headers: Headers; text: string }[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (r) => {
    requests.push({ headers: r.headers, text: await r.text() });
    const code = codes[requests.length - 1] ?? codes.at(-1)!;
    if (code === 0) await new Promise((resolve) => setTimeout(resolve, 1000));
    const headers = code === 302 ? { Location: "/elsewhere" } : undefined;
    return new Response(null, { status: code || 204, ...(headers ? { headers } : {}) });
  });
  return {
    requests,
    webhook: { url: `http://127.0.0.1:${server.addr.port}/`, secret: SECRET },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("deliver() signs as Standard Webhooks, and sends again under the same id", async () => {
  await using busy = receiver([503, 429, 204]);
  const message = { id: "m1", body: { type: "retrain.promoted", data: { model: "pets" } } };
  assertEquals(await deliver(busy.webhook, message, FAST), null);
  assertEquals(busy.requests.length, 3);
  for (const { headers, text } of busy.requests) {
    assertEquals(JSON.parse(text), message.body);
    assertEquals(headers.get("webhook-id"), "m1");
    const timestamp = headers.get("webhook-timestamp")!;
    assertEquals(Math.abs(Number(timestamp) - Date.now() / 1000) < 5, true);
    const signature = createHmac("sha256", "0123456789abcdef").update(`m1.${timestamp}.${text}`);
    assertEquals(headers.get("webhook-signature"), `v1,${signature.digest("base64")}`);
  }
});

Deno.test("deliver() gives up where asking again cannot help, or after five times", async () => {
  const message = { id: "m2", body: {} };
  for (const code of [400, 401, 302]) {
    await using refusing = receiver([code]);
    assertEquals(await deliver(refusing.webhook, message, FAST), `it answered ${code}`);
    assertEquals(refusing.requests.length, 1);
  }
  await using broken = receiver([500]);
  assertEquals(await deliver(broken.webhook, message, FAST), "it answered 500 (5 times)");
  assertEquals(broken.requests.length, 5);
  const nobody = { url: "http://127.0.0.1:1/", secret: SECRET };
  assertStringIncludes((await deliver(nobody, message, FAST))!, "(5 times)");
  await using silent = receiver([0, 204]);
  assertEquals(await deliver(silent.webhook, message, { backoffMs: 1, timeoutMs: 100 }), null);
});
