// Against a real TLS server on loopback. Its names are looked up nowhere: the connector that the tests
// give leads to the server, and tells of the address that a name would have had.
import { assert, assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { fixture } from "../fixtures/colours.ts";
import { startedApp } from "../fixtures/started_app.ts";
import { ProblemError } from "../problem.ts";
import { AllowedHosts } from "./allowed_hosts.ts";
import { ImageFetcher } from "./image_fetcher.ts";
import { type Connect, isPublic } from "./public_connection.ts";

const certificate = async (name: string) => new TextDecoder().decode(await fixture(`tls/${name}`));
const AUTHORITY = await certificate("authority.pem");
const [CERT, KEY] = [await certificate("server.pem"), await certificate("server.key")];
const red = await fixture("red.png");
const PUBLIC = "93.184.216.34";

/** A TLS server, the addresses of its names, and a fetcher that reaches it. */
function served(
  answer: (request: Request) => Response | Promise<Response>,
  options: {
    addresses?: Record<string, string>;
    hosts?: string;
    trusted?: boolean;
    milliseconds?: number;
  } = {},
) {
  const { addresses = {}, hosts = "images.example.org,*.cdn.example.org" } = options;
  const seen: { url: string; headers: Headers }[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert: CERT, key: KEY, onListen: () => {} },
    (request) => {
      seen.push({ url: request.url, headers: new Headers(request.headers) });
      return answer(request);
    },
  );
  const dialled: string[] = [];
  const connect: Connect = async ({ hostname, signal }) => {
    dialled.push(hostname);
    const connection = await Deno.connect({ port: server.addr.port, signal });
    const remoteAddr = { ...connection.remoteAddr, hostname: addresses[hostname] ?? PUBLIC };
    Object.defineProperty(connection, "remoteAddr", { value: remoteAddr });
    return connection;
  };
  const outcomes: string[] = [];
  const fetcher = new ImageFetcher({
    onFetch: (outcome) => outcomes.push(outcome),
    hosts: new AllowedHosts(hosts),
    maxBytes: 100_000,
    milliseconds: options.milliseconds ?? 5000,
    caCerts: options.trusted === false ? [] : [AUTHORITY],
    connect,
  });
  return {
    fetcher,
    outcomes,
    seen,
    dialled,
    fetch: (address: string, signal = new AbortController().signal) =>
      fetcher.fetch(address, signal),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function problemOf(work: Promise<unknown>): Promise<[string, string]> {
  const error = await assertRejects(() => work, ProblemError);
  return [error.problem, error.message];
}

const IMAGE = "https://images.example.org/red.png?token=secret";

Deno.test("ImageFetcher brings an image over TLS, with its name in the certificate and in Host", async () => {
  await using server = served(() => new Response(red));
  assertEquals(await server.fetch(IMAGE), red);
  const [request] = server.seen;
  assertEquals(request!.url, "https://images.example.org/red.png?token=secret");
  assertEquals(request!.headers.get("cookie"), null);
  assertEquals(request!.headers.get("accept-encoding"), "identity");
  assertEquals(server.dialled, ["images.example.org"]);
});

Deno.test("ImageFetcher refuses every address that is not public, before it sends anything", async () => {
  const addresses = [
    "127.0.0.1",
    "10.0.0.7",
    "172.31.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "192.0.2.1",
    "::1",
    "::",
    "fe80::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:169.254.169.254",
    "::10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "2002:a9fe:a9fe::1",
    "2001::1",
  ];
  for (const address of addresses) {
    assertEquals(isPublic(address), false, address);
    await using server = served(() => new Response(red), {
      addresses: { "images.example.org": address },
    });
    const [problem] = await problemOf(server.fetch(IMAGE));
    assertEquals([problem, server.seen.length], ["image-url-refused", 0], address);
  }
  for (const address of [PUBLIC, "2606:2800:220:1:248:1893:25c8:1946"]) assert(isPublic(address));
});

Deno.test("ImageFetcher follows three redirects, and checks each as it checked the first", async () => {
  const to = (location: string) => new Response(null, { status: 302, headers: { location } });
  const answer = ({ url }: Request): Response => {
    const { pathname } = new URL(url);
    const hops = /^\/hops\/(\d)$/.exec(pathname)?.[1];
    if (hops) return Number(hops) === 0 ? new Response(red) : to(`/hops/${Number(hops) - 1}`);
    if (pathname === "/cdn") return to("https://eu.cdn.example.org/hops/0");
    return to(decodeURIComponent(pathname.slice("/to/".length)));
  };
  await using server = served(answer, { addresses: { "inside.cdn.example.org": "10.0.0.7" } });
  const at = (path: string) => server.fetch(`https://images.example.org${path}`);
  assertEquals(await at("/hops/3"), red);
  assertEquals(await at("/cdn"), red);
  assertEquals((await problemOf(at("/hops/4")))[0], "image-url-failed");
  const forbidden = [
    "http://images.example.org/red.png",
    "https://evil.test/red.png",
    "https://user:pw@images.example.org/red.png",
    "https://inside.cdn.example.org/red.png",
    "https://169.254.169.254/latest/meta-data/",
    "file:///etc/passwd",
  ];
  for (const address of forbidden) {
    const [problem] = await problemOf(at(`/to/${encodeURIComponent(address)}`));
    assertEquals(problem, "image-url-refused", address);
  }
  assertEquals(server.dialled.filter((host) => host.includes("evil") || /\d$/.test(host)), []);
});

Deno.test("ImageFetcher keeps to its size and its time", async () => {
  const endless = () =>
    new Response(
      new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(9000)) }),
    );
  await using large = served(endless);
  const [problem, message] = await problemOf(large.fetch(IMAGE));
  assertEquals(problem, "image-url-failed");
  assert(message.includes("too large") && !message.includes("secret"), message);

  const stuck = Promise.withResolvers<void>();
  for (const after of ["", "half"]) {
    await using slow = served(async () => {
      if (after === "") await stuck.promise;
      return new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode(after)),
        }),
      );
    }, { milliseconds: 200 });
    const started = performance.now();
    const [, message] = await problemOf(slow.fetch(IMAGE));
    assert(message.includes("took too long"), message);
    assertLess(performance.now() - started, 2000);
    stuck.resolve();
  }
});

Deno.test("ImageFetcher ends with the client, and takes no certificate of another name or authority", async () => {
  await using slow = served(() =>
    new Promise<Response>((resolve) => setTimeout(() => resolve(new Response(red)), 300))
  );
  const gone = new AbortController();
  setTimeout(() => gone.abort(), 50);
  await assertRejects(() => slow.fetch(IMAGE, gone.signal), DOMException);

  await using untrusted = served(() => new Response(red), { trusted: false });
  assert((await problemOf(untrusted.fetch(IMAGE)))[1].includes("certificate is not to be trusted"));
  await using misnamed = served(() => new Response(red), { hosts: "images.example.net" });
  const other = misnamed.fetch("https://images.example.net/red.png");
  assert((await problemOf(other))[1].includes("certificate is not to be trusted"));
  assertEquals([untrusted.seen.length, misnamed.seen.length], [0, 0]);
});

Deno.test("POST /v1/classify answers images by url and urls, each with its own error", async () => {
  await using server = served(({ url }) =>
    url.includes("red.png") ? new Response(red) : new Response("<html>", { status: 404 })
  );
  await using service = await startedApp({ fetcher: server.fetcher });
  const headers = { "Content-Type": "application/json" };
  const one = await service.post(JSON.stringify({ url: IMAGE, top: 1 }), "", headers);
  assertEquals([one.status, (await one.json()).predictions[0].label], [200, "red"]);
  assertMatch(one.headers.get("Server-Timing")!, /^fetch;dur=[\d.]+, queue;dur=/);
  assert(JSON.parse(service.lines.at(-1)!).fetch_ms > 0);
  const urls = [IMAGE, "https://images.example.org/gone.png", "https://evil.test/red.png"];
  const several = await service.post(JSON.stringify({ urls }), "", headers);
  const { results } = await several.json();
  assertEquals(
    results.map((result: { error?: { type: string }; predictions?: { label: string }[] }) =>
      result.error?.type ?? result.predictions?.[0]?.label
    ),
    ["red", "/problems/image-url-failed", "/problems/image-url-refused"],
  );
  assertEquals(results[1].name, urls[1]);
  assertEquals(server.outcomes.toSorted(), [
    ...["fetched", "fetched", "image-url-failed", "image-url-refused"],
  ]);
  assert(!service.lines.join().includes("secret"), "an address is in the log");

  const both = await service.post(JSON.stringify({ url: IMAGE, image: "AAAA" }), "", headers);
  assertEquals(both.status, 400);
  await using off = await startedApp();
  const refused = await off.post(JSON.stringify({ url: IMAGE }), "", headers);
  assertEquals([refused.status, (await refused.json()).type], [403, "/problems/image-url-refused"]);
});
