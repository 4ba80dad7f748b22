import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { decodeImage } from "../../../shared/image/decode.ts";
import { load } from "./load.ts";

const JPEG = fromFileUrl(new URL("../../../inference/fixtures/blue.jpg", import.meta.url));

Deno.test("load() sends another readable JPEG each time, and counts what is not answered by 200", async () => {
  const bodies = new Set<string>();
  let readable = 0;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const bytes = await request.bytes();
      bodies.add(bytes.toBase64());
      if ((await decodeImage(bytes)).width > 0) readable++;
      // Longer than the generator's buffer.
      return new Response("x".repeat(100_000), { status: bodies.size % 4 === 0 ? 503 : 200 });
    },
  );
  const result = await load({
    port: server.addr.port,
    method: "POST",
    path: "/",
    connections: 3,
    seconds: 60,
    requests: 40,
    images: [JPEG],
  });
  await server.shutdown();
  assertEquals([result.requests, bodies.size, readable], [40, 40, 40]);
  assertEquals(result.failures, { 503: 10 });
  assert(result.p50 > 0 && result.p50 <= result.p99 && result.p99 <= result.most);
});
