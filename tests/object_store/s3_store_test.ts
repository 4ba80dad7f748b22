// The S3 store against a real server, and against what networks and servers do wrong.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { testConformance } from "../../shared/fixtures/store_conformance.ts";
import {
  ObjectChangedError,
  PreconditionFailedError,
} from "../../shared/object_store/object_store.ts";
import type { S3Store } from "../../shared/object_store/s3/s3_store.ts";
import { type Fault, type FaultProxy, startFaultProxy } from "./fault_proxy.ts";
import { openTestBucket, TEST_BUCKET } from "./open_test_bucket.ts";
import { openPort } from "./port.ts";
import { hasS3Server, S3_SECRET, S3Server } from "./s3_server.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const ignore = !hasS3Server;
testConformance("S3Store", async (test) => {
  await using server = await S3Server.start(TEST_BUCKET);
  await test(openTestBucket(server.endpoint), () => openTestBucket(server.endpoint));
}, { ignore });

testConformance("S3Store under a prefix", async (test) => {
  await using server = await S3Server.start(TEST_BUCKET);
  await openTestBucket(server.endpoint).put("beside/the/prefix", bytes("x"));
  const given = { prefix: "team/a" };
  await test(openTestBucket(server.endpoint, given), () => openTestBucket(server.endpoint, given));
}, { ignore });

/** A test with a server behind a proxy whose faults are given by request and number. */
function faultTest(
  name: string,
  faults: (request: string, number: number) => Fault,
  fn: (store: S3Store, direct: S3Store, proxy: FaultProxy) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore,
    async fn() {
      await using server = await S3Server.start(TEST_BUCKET);
      await using proxy = await startFaultProxy(server.endpoint, faults);
      await fn(openTestBucket(proxy.endpoint), openTestBucket(server.endpoint), proxy);
    },
  });
}

faultTest(
  "S3Store repeats what a busy server refused",
  (_, number) => number % 3 < 2 ? "busy" : "none",
  async (store, _direct, { log }) => {
    await store.put("k", bytes("x"));
    assertEquals((await store.get("k"))?.bytes, bytes("x"));
    assertEquals(log.map(({ fault }) => fault), ["busy", "busy", "none", "busy", "busy", "none"]);
  },
);

faultTest(
  "S3Store gives up on a server that stays busy, with its words",
  () => "busy",
  async (store, _direct, { log }) => {
    await assertRejects(() => store.get("k"), Error, "Cannot read s3://models/k at http");
    assertEquals(log.length, 5);
  },
);

faultTest(
  "S3Store waits as long as Retry-After says",
  (_, number) => number === 0 ? "busy-for-a-second" : "none",
  async (store, _direct, { log }) => {
    const began = performance.now();
    assertEquals(await store.head("k"), null);
    const waited = performance.now() - began;
    assert(waited >= 990 && waited < 5_000, `${waited} ms`);
    assertEquals(log.length, 2);
  },
);

faultTest(
  "S3Store is patient with slow answers, and asks nothing twice",
  () => "slow",
  async (store, direct, { log }) => {
    await store.put("k", bytes("slowly"));
    assertEquals((await store.get("k"))?.bytes, bytes("slowly"));
    assertEquals(await direct.get("k"), await store.get("k"));
    assertEquals(log.length, 3);
  },
);

faultTest(
  "getStream() goes on where the answer stalled",
  (request, number) => request.startsWith("GET") && number === 0 ? "stalls" : "none",
  async (store, direct, { log }) => {
    const content = crypto.getRandomValues(new Uint8Array(60_000));
    await direct.put("k", content);
    const began = performance.now();
    const { stream } = (await store.getStream("k"))!;
    assertEquals(await new Response(stream).bytes(), content);
    assertEquals(log.length, 2);
    assert(performance.now() - began >= 990, "before its time-out");
  },
);

faultTest(
  "S3Store asks again where no answer comes",
  (_, number) => number === 0 ? "silent" : "none",
  async (store, _direct, { log }) => {
    assertEquals(await store.head("k"), null);
    assertEquals(log.length, 2);
  },
);

faultTest(
  "put() with a condition knows its own write again when the answer was lost",
  (request, number) => request.startsWith("PUT") && number === 0 ? "answer-lost" : "none",
  async (store, direct) => {
    const { etag } = await store.put("k", bytes("mine"), { ifNoneMatch: "*" });
    assertEquals(await direct.get("k"), { bytes: bytes("mine"), etag });
  },
);

Deno.test({
  name: "put() with a condition loses to another's write that came between its attempts",
  ignore,
  async fn() {
    await using server = await S3Server.start(TEST_BUCKET);
    const direct = openTestBucket(server.endpoint);
    let other: Promise<unknown> | undefined;
    await using proxy = await startFaultProxy(server.endpoint, () => {
      if (other) return "none";
      other = direct.put("k", bytes("other"));
      return "busy-for-a-second";
    });
    await assertRejects(
      async () => {
        await openTestBucket(proxy.endpoint).put("k", bytes("mine"), { ifNoneMatch: "*" });
      },
      PreconditionFailedError,
    );
    await other;
    assertEquals((await direct.get("k"))?.bytes, bytes("other"));
  },
});

faultTest(
  "getStream() goes on where the connection broke",
  (request) => request.startsWith("GET") ? "cut-short" : "none",
  async (store, direct, { log }) => {
    const content = crypto.getRandomValues(new Uint8Array(60_000));
    await direct.put("k", content);
    const { stream } = (await store.getStream("k"))!;
    // Each answer brings half of what was asked for: after four repetitions a sixteenth is missing.
    await assertRejects(() => new Response(stream).bytes(), Error);
    assertEquals(log.length, 5);
  },
);

Deno.test({
  name: "getStream() never mixes two objects",
  ignore,
  async fn() {
    await using server = await S3Server.start(TEST_BUCKET);
    await using proxy = await startFaultProxy(
      server.endpoint,
      (_, number) => number === 0 ? "cut-short" : "none",
    );
    const [store, direct] = [openTestBucket(proxy.endpoint), openTestBucket(server.endpoint)];
    await direct.put("same", new Uint8Array(3_000_000).fill(1));
    const same = (await store.getStream("same"))!;
    assertEquals((await new Response(same.stream).bytes()).length, 3_000_000);
    assertEquals(proxy.log.map(({ fault }) => fault), ["cut-short", "none"]);

    await using again = await startFaultProxy(
      server.endpoint,
      (_, number) => number === 0 ? "cut-short" : "none",
    );
    const changed = (await openTestBucket(again.endpoint).getStream("same"))!;
    await direct.put("same", new Uint8Array(3_000_000).fill(2));
    await assertRejects(
      () => new Response(changed.stream).bytes(),
      ObjectChangedError,
      "it was changed while it was read",
    );
  },
});

Deno.test({
  name: "put() leaves the old object where the server dies in the middle of an upload",
  ignore,
  async fn() {
    await using server = await S3Server.start(TEST_BUCKET);
    const store = openTestBucket(server.endpoint);
    await store.put("k", bytes("old"));
    let parts = 0;
    const dying = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (++parts === 4) await server.kill();
        if (parts > 6) controller.close();
        else controller.enqueue(new Uint8Array(8 * 1024 * 1024));
      },
    });
    await assertRejects(() => store.put("k", dying), Error, "Cannot write s3://models/k");
    await server.restart();
    assertEquals((await store.get("k"))?.bytes, bytes("old"));
    await store.put("k", bytes("new"));
    assertEquals((await store.get("k"))?.bytes, bytes("new"));
  },
});

Deno.test({
  name: "list() goes on behind the thousand keys that one answer holds",
  ignore,
  async fn() {
    await using server = await S3Server.start(TEST_BUCKET);
    const store = openTestBucket(server.endpoint);
    const stored = Array.from({ length: 1010 }, (_, i) => `many/${String(i).padStart(4, "0")}`);
    for (let at = 0; at < stored.length; at += 50) {
      await Promise.all(stored.slice(at, at + 50).map((key) => store.put(key, bytes(key))));
    }
    const listed = (await Array.fromAsync(store.list("many/"))).map(({ key }) => key);
    assertEquals(listed, stored);
  },
});

Deno.test({
  name: "S3Store says what is wrong with keys, buckets and addresses",
  ignore,
  async fn() {
    await using server = await S3Server.start(TEST_BUCKET);
    const wrong = openTestBucket(server.endpoint, { secret: "wrong" });
    await assertRejects(() => wrong.get("k"), Error, "check AWS_SECRET_ACCESS_KEY");
    await assertRejects(() => wrong.put("k", bytes("x")), Error, "check AWS_SECRET_ACCESS_KEY");
    const missing = openTestBucket(server.endpoint, { bucket: "missing" });
    for (
      const use of [
        () => missing.get("k"),
        () => missing.getStream("k"),
        () => missing.put("k", bytes("x")),
        () => Array.fromAsync(missing.list("")),
      ]
    ) {
      const error = await assertRejects(use, Error, "create the bucket or correct its name");
      assert(!error.message.includes(S3_SECRET));
    }
    const nobody = openTestBucket(`http://127.0.0.1:${openPort()}`);
    await assertRejects(
      () => nobody.get("k"),
      Error,
      "Cannot read s3://models/k at http://127.0.0.1",
    );
  },
});
