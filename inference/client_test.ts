import { assertEquals, assertRejects } from "@std/assert";
import { TopfiveClient, TopfiveError } from "./client.ts";
import { fixture } from "./fixtures/colours.ts";
import { startedApp } from "./fixtures/started_app.ts";

const red = await fixture("red.png");

/** An HTTP server on a free port. */
function listen(handler: (request: Request) => Response | Promise<Response>) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
  return {
    address: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("TopfiveClient classifies, and hands on what the service refuses", async () => {
  await using service = await startedApp();
  await using server = listen((request) => service.app.fetch(request));
  const client = new TopfiveClient(server.address);
  const answer = await client.classify(red, { top: 2, model: "colours", threshold: 0.01 });
  assertEquals([answer.model, answer.predictions[0]!.label], ["colours", "red"]);
  const error = await assertRejects(() => client.classify(new Uint8Array([1, 2])), TopfiveError);
  assertEquals([error.status, error.problem?.type], [415, "/problems/unsupported-image"]);
  const byAddress = client.classify(new URL("https://images.example.org/red.png"));
  const refused = await assertRejects(() => byAddress, TopfiveError, "fetches no addresses");
  assertEquals(refused.problem?.type, "/problems/image-url-refused");
});

Deno.test("TopfiveClient asks a busy service again, and not for ever", async () => {
  let asked = 0;
  await using server = listen((request) => {
    asked++;
    assertEquals(request.headers.get("Authorization"), "Bearer secret");
    return new Response("busy", { status: 503, headers: { "Retry-After": "0.01" } });
  });
  const client = new TopfiveClient(server.address, { key: "secret", retries: 2 });
  const error = await assertRejects(() => client.classify(red), TopfiveError, "answered 503");
  assertEquals([asked, error.problem], [3, undefined]);
});
