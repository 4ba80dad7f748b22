// Traces of a real service, as an OpenTelemetry collector receives them (OTLP over HTTP, JSON).
import { assert, assertEquals, assertFalse } from "@std/assert";
import { fixture } from "../inference/fixtures/colours.ts";
import { coloursStore } from "../inference/fixtures/colours_store.ts";
import { freePort, start, untilReady } from "../inference/fixtures/served.ts";

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { key: string; value: Record<string, string | number> }[];
  readonly status: { readonly code: number };
}

/** A small OTLP receiver that keeps the spans, and what was sent as text. */
function receiver() {
  const spans: Span[] = [];
  const bodies: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const body = await request.text();
      bodies.push(body);
      if (new URL(request.url).pathname === "/v1/traces") {
        for (const { scopeSpans } of JSON.parse(body).resourceSpans) {
          for (const scope of scopeSpans) spans.push(...scope.spans);
        }
      }
      return Response.json({});
    },
  );
  return {
    spans,
    bodies,
    address: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const attribute = ({ attributes }: Span, name: string) =>
  Object.values(attributes.find(({ key }) => key === name)?.value ?? {})[0];
const begin = ({ startTimeUnixNano }: Span) => Number(startTimeUnixNano) / 1e6;
const end = ({ endTimeUnixNano }: Span) => Number(endTimeUnixNano) / 1e6;

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

Deno.test("topfive serve exports a span of each stage below the client's own trace", async () => {
  await using store = await coloursStore();
  await using otlp = receiver();
  // No more permissions than without tracing: the exporter is the runtime's.
  using service = start(["--store", store.folder, "--port", freePort()], {
    env: {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: otlp.address,
      OTEL_SERVICE_NAME: "topfive",
    },
  });
  await untilReady(service.url);
  const ask = async (body: Uint8Array<ArrayBuffer>) => {
    const headers = { traceparent: `00-${TRACE}-${PARENT}-01` };
    const init = { method: "POST", body, headers };
    const response = await fetch(`${service.url}/v1/classify`, init);
    await response.body?.cancel();
    return response.headers.get("X-Request-Id");
  };
  const red = await fixture("red.png");
  const id = await ask(red);
  await ask(red);
  await ask(red.subarray(0, 50));
  service.child.kill("SIGTERM");
  assertEquals((await service.ended()).code, 0);

  const traced = otlp.spans.filter(({ traceId }) => traceId === TRACE);
  const requests = traced.filter(({ parentSpanId }) => parentSpanId === PARENT);
  assertEquals(requests.map(({ name }) => name), Array(3).fill("POST /v1/classify"));
  const request = requests.find((span) => attribute(span, "topfive.request.id") === id)!;
  assertEquals(attribute(request, "http.route"), "/v1/classify");

  const below = (parent: Span) =>
    traced.filter(({ parentSpanId }) => parentSpanId === parent.spanId);
  const [image, ...others] = below(request);
  assertEquals([image!.name, others.length], ["classify image", 0]);
  assertEquals(attribute(image!, "topfive.model"), "colours");
  assertEquals(attribute(image!, "topfive.model.version"), "v1");
  const stages = below(image!).sort((a, b) => begin(a) - begin(b));
  assertEquals(stages.map(({ name }) => name), ["queue", "decode", "preprocess", "queue", "run"]);
  assertEquals(attribute(stages[1]!, "topfive.image.pixels"), 40 * 24);
  assertEquals(attribute(stages[4]!, "topfive.batch.size"), 1);
  // Measured in other threads, and yet inside of what this one measured, one behind the other.
  assert(begin(stages[0]!) >= begin(image!) - 0.5 && end(stages[4]!) <= end(image!) + 0.5);
  stages.reduce((before, stage) => {
    assert(Math.abs(begin(stage) - end(before)) < 0.5, `${before.name}, ${stage.name}`);
    return stage;
  });
  assert(begin(image!) >= begin(request) && end(image!) <= end(request) + 0.5);

  const images = traced.filter(({ name }) => name === "classify image");
  assertEquals(images.filter((span) => attribute(span, "topfive.cache.hit")).length, 1);
  const failed = images.find((span) => attribute(span, "error.type") === "corrupt-image")!;
  assertEquals(failed.status.code, 2);
  assertFalse(otlp.bodies.join("").includes(red.toBase64().slice(0, 40)));
});
