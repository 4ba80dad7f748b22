// The real command in a process of its own, under the permissions of permissions.ts.
import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { fixture } from "./fixtures/colours.ts";
import { coloursStore, emptyStore } from "./fixtures/colours_store.ts";
import { freePort, start, untilReady } from "./fixtures/served.ts";

/** A body of which the second half is sent only when `release` is called. */
function heldBody(bytes: Uint8Array<ArrayBuffer>) {
  const gate = Promise.withResolvers<void>();
  const half = bytes.length >> 1;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => controller.enqueue(bytes.subarray(0, half)),
    pull: async (controller) => {
      await gate.promise;
      controller.enqueue(bytes.subarray(half));
      controller.close();
    },
  }, { highWaterMark: 0 });
  return { body, release: () => gate.resolve() };
}

Deno.test("topfive serve loads, answers an image over HTTP, ends an open request, exits 0", async () => {
  await using store = await coloursStore();
  const port = freePort();
  using service = start(["--store", store.folder, "--port", port, "--threads", "2", "--json"]);
  await untilReady(service.url);

  const response = await fetch(`${service.url}/v1/classify?top=2`, {
    method: "POST",
    body: await fixture("red.png"),
  });
  assertEquals(response.status, 200);
  const { model, predictions } = await response.json();
  assertEquals([model, predictions.length, predictions[0].label], ["colours", 2, "red"]);

  const held = heldBody(await fixture("blue.jpg"));
  const open = fetch(`${service.url}/v1/classify`, { method: "POST", body: held.body });
  await new Promise((resolve) => setTimeout(resolve, 200));
  service.child.kill("SIGTERM");
  await new Promise((resolve) => setTimeout(resolve, 200));
  held.release();
  const late = await open;
  assertEquals(late.status, 200);
  assertEquals((await late.json()).predictions[0].label, "blue");

  const { code, stdout, stderr } = await service.ended();
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.trimEnd().split("\n");
  const events = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line).event);
  assertEquals(events, ["loaded", "ready", "request", "request", "stopped"]);
  assertEquals(lines[2], `topfive serves colours v1 at http://127.0.0.1:${port}/`);
});

Deno.test("topfive serve cuts off a request that outlasts the drain time, and exits 0", async () => {
  await using store = await coloursStore();
  using service = start(["--store", store.folder, "--port", freePort(), "--drain", "1"]);
  await untilReady(service.url);
  const held = heldBody(await fixture("red.png"));
  const open = fetch(`${service.url}/v1/classify`, { method: "POST", body: held.body })
    .then((response) => response.status, () => "cut off");
  await new Promise((resolve) => setTimeout(resolve, 200));
  const started = performance.now();
  service.child.kill("SIGINT");
  const { code, stdout } = await service.ended();
  assertEquals(code, 0);
  assertLess(performance.now() - started, 5000);
  assertMatch(stdout, /info stopped drained=false/);
  assertEquals(await open, "cut off");
  held.release();
});

Deno.test("topfive serve answers 413 over HTTP to chunks beyond the limit and goes on", async () => {
  await using store = await coloursStore();
  using service = start(["--store", store.folder, "--port", freePort(), "--max-body", "5000"]);
  await untilReady(service.url);
  const chunks = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(4096)),
  });
  const stop = new AbortController();
  const refused = await fetch(`${service.url}/v1/classify`, {
    method: "POST",
    body: chunks,
    signal: stop.signal,
  });
  assertEquals(refused.status, 413);
  assertEquals((await refused.json()).type, "/problems/body-too-large");
  stop.abort();
  const next = await fetch(`${service.url}/v1/classify`, {
    method: "POST",
    body: await fixture("red.png"),
  });
  assertEquals((await next.json()).predictions[0].label, "red");
  service.child.kill("SIGTERM");
  const { code, stdout } = await service.ended();
  assertEquals(code, 0);
  assertMatch(stdout, /info stopped drained=true/);
});

Deno.test("topfive serve takes a client that goes away for no fault of its own", async () => {
  await using store = await coloursStore();
  using service = start(["--store", store.folder, "--port", freePort(), "--json"]);
  await untilReady(service.url);
  {
    const { port } = new URL(service.url);
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    const head = "POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
    await connection.write(new TextEncoder().encode(`${head}ten bytes.`));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  service.child.kill("SIGTERM");
  const { code, stdout, stderr } = await service.ended();
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.split("\n").filter((line) => line.startsWith("{")).map((line) =>
    JSON.parse(line)
  );
  assertEquals(lines.map(({ event }) => event), ["loaded", "ready", "request", "stopped"]);
  assertEquals([lines[2].status, lines[3].drained], [400, true]);
});

Deno.test("topfive serve explains what keeps it from starting, and exits 1", async () => {
  await using store = await coloursStore();
  await using empty = await emptyStore();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const taken = String(listener.addr.port);
  const port = freePort();
  const failures: [string[], string[] | undefined, string][] = [
    [["--store", empty.folder, "--port", port], undefined, "nothing is published there: run"],
    [["--store", store.folder, "--port", port, "--model", "x"], undefined, "there: colours)"],
    [["--store", store.folder, "--port", taken], undefined, "another program has this port"],
    [["--store", store.folder, "--port", port], ["--port", port], "Requires read access"],
    [["--store", store.folder, "--port", port], ["--store", store.folder], "Requires net access"],
  ];
  for (const [args, permitted, message] of failures) {
    using service = start(args, permitted ? { permitted } : {});
    const { code, stderr } = await service.ended();
    assertEquals(code, 1, stderr);
    assertMatch(stderr, /^topfive: Cannot [^\n]+\n$/);
    assertStringIncludes(stderr, message);
  }
});

Deno.test("topfive serve refuses a command line it cannot read with 2, and helps with 0", async () => {
  using wrong = start(["--prot", "80"], { permitted: [] });
  const { code, stderr } = await wrong.ended();
  assertEquals(code, 2);
  assertStringIncludes(stderr, "Unknown option '--prot'");
  using help = start(["--help"], { permitted: [] });
  const { code: helped, stdout } = await help.ended();
  assertEquals(helped, 0);
  assert(stdout.includes("Examples:") && stdout.includes("--max-pixels"));
});

async function classifyUrl(service: string, url: string) {
  const response = await fetch(`${service}/v1/classify`, {
    method: "POST",
    body: JSON.stringify({ url }),
    headers: { "Content-Type": "application/json" },
  });
  const { type, detail } = await response.json();
  return { type, detail };
}

Deno.test("topfive serve fetches from allowed hosts alone, and never from an address that is not public", async () => {
  await using store = await coloursStore();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const url = `https://localhost:${port}/red.png`;
  const args = ["--store", store.folder, "--port", freePort()];
  const allowing = [...args, "--fetch-hosts", `localhost:${port}`];
  // It is granted the host, and yet not to be led to this machine: no byte arrives.
  const received = (async () => {
    using connection = await listener.accept();
    return await connection.read(new Uint8Array(1));
  })();
  {
    using service = start(allowing);
    await untilReady(service.url);
    const { type, detail } = await classifyUrl(service.url, url);
    assertEquals(type, "/problems/image-url-refused");
    assertStringIncludes(detail, "at an address that is not public");
    assertEquals(await received, null);
    const other = await classifyUrl(service.url, "https://example.org/red.png");
    assertEquals(other.type, "/problems/image-url-refused");
    service.child.kill("SIGTERM");
    assertEquals((await service.ended()).code, 0);
  }
  // Without the permission that the setting brings Deno itself refuses, and the service goes on.
  using narrow = start(allowing, { permitted: args });
  await untilReady(narrow.url);
  assertEquals((await classifyUrl(narrow.url, url)).type, "/problems/image-url-failed");
});

Deno.test("topfive serve stores feedback where it may write, and may write nowhere else", async () => {
  await using store = await coloursStore();
  const args = ["--store", store.folder, "--port", freePort(), "--feedback"];
  const send = async (service: string) => {
    const body = await fixture("red.png");
    const response = await fetch(`${service}/v1/feedback?label=green`, { method: "POST", body });
    return [response.status, await response.json()];
  };
  {
    using service = start(args);
    await untilReady(service.url);
    const [status, { sha256 }] = await send(service.url);
    assertEquals(status, 201);
    assert((await Deno.stat(`${store.folder}/incoming/colours/${sha256}.json`)).isFile);
    service.child.kill("SIGTERM");
    assertEquals((await service.ended()).code, 0);
  }
  await Deno.remove(`${store.folder}/incoming`, { recursive: true });
  using confined = start(args, { permitted: args.slice(0, 4) });
  await untilReady(confined.url);
  assertEquals((await send(confined.url))[0], 500);
  assertEquals((await Array.fromAsync(Deno.readDir(store.folder))).map(({ name }) => name).sort(), [
    ...[".lock", ".tmp", "blobs", "models"],
  ]);
});
