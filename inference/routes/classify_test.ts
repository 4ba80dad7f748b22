import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { decodeImage } from "../../shared/image/decode.ts";
import type { Classification } from "../classifier.ts";
import { coloursProbabilities, fixture } from "../fixtures/colours.ts";
import { publishColours } from "../fixtures/colours_store.ts";
import { startedApp } from "../fixtures/started_app.ts";
import { encodePng } from "../png.ts";

const red = await fixture("red.png");

/** Asserts a problem answer and returns its detail. */
async function problem(response: Response, status: number, name: string): Promise<string> {
  const body = await response.json();
  assertEquals([response.status, body.type], [status, `/problems/${name}`], JSON.stringify(body));
  assertEquals(response.headers.get("Content-Type"), "application/problem+json");
  assertEquals(body.status, status);
  assertEquals(body.instance, `urn:uuid:${response.headers.get("X-Request-Id")}`);
  return body.detail;
}

Deno.test("POST /v1/classify answers the best labels of each image format", async () => {
  await using service = await startedApp();
  for (const [name, probabilities] of Object.entries(coloursProbabilities)) {
    const response = await service.post(await fixture(name));
    assertEquals(response.status, 200);
    assertStringIncludes(response.headers.get("Content-Type")!, "application/json");
    const answer: Classification = await response.json();
    assertEquals([answer.model, answer.version], ["colours", "v1"]);
    const best = probabilities.indexOf(Math.max(...probabilities));
    assertEquals(answer.predictions[0]!.index, best);
    assertEquals(answer.predictions[0]!.label, ["red", "green", "blue", "white"][best]);
    for (const { index, probability } of answer.predictions) {
      assertAlmostEquals(probability, probabilities[index]!, 5e-3);
    }
    const { decode_ms, inference_ms, queue_ms, total_ms } = answer.timing;
    assertAlmostEquals(decode_ms + inference_ms + queue_ms, total_ms, 0.05);
    assert(Math.min(decode_ms, inference_ms, queue_ms) >= 0);
  }
});

Deno.test("POST /v1/classify gives top labels, best first, never more than classes", async () => {
  await using service = await startedApp();
  for (const [query, count] of [["", 4], ["?top=1", 1], ["?top=3", 3], ["?top=999", 4]] as const) {
    const response = await service.post(red, query);
    assertEquals(response.status, 200, query);
    const { predictions }: Classification = await response.json();
    assertEquals(predictions.length, count, query);
    const probabilities = predictions.map(({ probability }) => probability);
    assertEquals(probabilities, probabilities.toSorted((a, b) => b - a));
    assertEquals(new Set(predictions.map(({ index }) => index)).size, count);
  }
});

Deno.test("POST /v1/classify refuses a top that is no whole number from 1", async () => {
  await using service = await startedApp();
  for (const top of ["0", "-1", "1.5", "five", "", "1e3", "0x5", "%205", "9999999999", "NaN"]) {
    const detail = await problem(await service.post(red, `?top=${top}`), 400, "invalid-parameter");
    assertStringIncludes(detail, "Cannot read top=");
  }
});

Deno.test("POST /v1/classify believes the bytes and not the content type", async () => {
  await using service = await startedApp();
  for (const type of ["image/png", "image/webp", "text/html", "multipart/form-data", "nonsense"]) {
    const response = await service.post(red, "", { "Content-Type": type });
    assertEquals(response.status, 200, type);
    await response.body?.cancel();
  }
});

Deno.test("POST /v1/classify answers 400 to an empty body and to none", async () => {
  await using service = await startedApp();
  await problem(await service.post(new Uint8Array(0)), 400, "empty-body");
  const response = await service.app.request("/v1/classify", { method: "POST" });
  await problem(response, 400, "empty-body");
});

Deno.test("POST /v1/classify answers 415 to what is no image", async () => {
  await using service = await startedApp();
  const texts = ["hello", "<svg xmlns='http://www.w3.org/2000/svg'/>", "\0".repeat(4096), "%PDF-1"];
  for (const text of texts) {
    await problem(await service.post(new TextEncoder().encode(text)), 415, "unsupported-image");
  }
});

Deno.test("POST /v1/classify answers 422 to an image cut short and goes on", async () => {
  await using service = await startedApp();
  await problem(await service.post(red.subarray(0, red.length - 30)), 422, "corrupt-image");
  const response = await service.post(red);
  assertEquals(response.status, 200);
  await response.body?.cancel();
});

Deno.test("POST /v1/classify refuses by the header's pixels before decoding", async () => {
  await using service = await startedApp({ maxPixels: 40 * 24 });
  assertEquals((await service.post(red)).status, 200);
  const claimed = red.slice();
  // IHDR: width at byte 16, big-endian (PNG, third edition, §11.2.1).
  new DataView(claimed.buffer).setUint32(16, 50_000);
  const detail = await problem(await service.post(claimed), 422, "image-too-large");
  assertStringIncludes(detail, "50000 x 24");
});

Deno.test("POST /v1/classify refuses a body over the limit, declared or in chunks", async () => {
  await using service = await startedApp({ maxBodyBytes: red.length });
  assertEquals((await service.post(red)).status, 200);

  const larger = new Uint8Array(red.length + 1);
  const declared = { "Content-Length": String(larger.length) };
  await problem(await service.post(larger, "", declared), 413, "body-too-large");

  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 64;
      controller.enqueue(new Uint8Array(64));
    },
  });
  await problem(await service.post(endless), 413, "body-too-large");
  assert(sent <= red.length + 3 * 64, `${sent} bytes were read of a body limited to ${red.length}`);
});

Deno.test("POST /v1/classify answers 503 beyond the queue and serves those inside", async () => {
  await using service = await startedApp({ queueCapacity: 2 });
  const responses = await Promise.all(Array.from({ length: 8 }, () => service.post(red)));
  const statuses = responses.map(({ status }) => status).sort();
  assertEquals(statuses, [200, 200, 503, 503, 503, 503, 503, 503]);
  const refused = responses.find(({ status }) => status === 503)!;
  assertEquals(refused.headers.get("Retry-After"), "1");
  await problem(refused, 503, "queue-full");
  assertEquals((await service.post(red)).status, 200);
});

Deno.test("GET /healthz is answered while images wait", async () => {
  await using service = await startedApp({ queueCapacity: 64 });
  let answered = 0;
  const images = Array.from({ length: 32 }, async () => {
    await (await service.post(red)).body?.cancel();
    answered++;
  });
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals((await service.app.request("/healthz")).status, 200);
  assert(answered < 32, "the health check came after every image");
  await Promise.all(images);
});

Deno.test("POST /v1/classify answers an identical image from its cache, with 304 to its ETag", async () => {
  await using service = await startedApp({ cacheEntries: 10 });
  const first = await service.post(red);
  const etag = first.headers.get("ETag")!;
  assertMatch(
    first.headers.get("Server-Timing")!,
    /^queue;dur=[\d.]+, decode;dur=[\d.]+, preprocess;dur=[\d.]+, run;dur=/,
  );
  const again = await service.post(red);
  assertMatch(again.headers.get("Server-Timing")!, /^cache;desc=hit, total;dur=/);
  assertEquals([again.headers.get("ETag"), await again.json()], [etag, await first.json()]);
  const unchanged = await service.post(red, "", { "If-None-Match": etag });
  assertEquals([unchanged.status, await unchanged.text()], [304, ""]);
  for (const query of ["?top=2", "?views=10", "?threshold=0.5"]) {
    const other = await service.post(red, query);
    assert(other.headers.get("ETag") !== etag, query);
    await other.body?.cancel();
  }
});

Deno.test("POST /v1/classify averages ten views, and leaves out what is under the threshold", async () => {
  await using service = await startedApp();
  const one: Classification = await (await service.post(red)).json();
  const ten: Classification = await (await service.post(red, "?views=10")).json();
  // Every view of a flat colour is the same picture.
  for (const [place, { label, probability }] of ten.predictions.entries()) {
    assertEquals(label, one.predictions[place]!.label);
    assertAlmostEquals(probability, one.predictions[place]!.probability, 1e-5);
  }
  const sure: Classification = await (await service.post(red, "?threshold=0.5")).json();
  assertEquals(sure.predictions.map(({ label }) => label), ["red"]);
  for (const query of ["?views=2", "?threshold=2", "?threshold=x", "?explain=yes"]) {
    await problem(await service.post(red, query), 400, "invalid-parameter");
  }
});

Deno.test("POST /v1/classify?explain=1 covers the part of the picture that counts", async () => {
  await using service = await startedApp();
  // Red in the upper left quarter alone; elsewhere the grey that is the mean.
  const data = new Uint8Array(16 * 16 * 3).fill(127);
  for (let at = 0; at < data.length; at += 3) {
    const [x, y] = [at / 3 % 16, Math.floor(at / 48)];
    if (x < 8 && y < 8) data.set([255, 0, 0], at);
  }
  const picture = encodePng({ width: 16, height: 16, channels: 3, data });
  const answer: Classification = await (await service.post(picture, "?explain=1")).json();
  assertEquals(answer.predictions[0]!.label, "red");
  const png = Uint8Array.fromBase64(answer.heat_map!.replace("data:image/png;base64,", ""));
  const { width, data: pixels } = await decodeImage(png);
  // On white, heat makes a pixel less blue.
  const blue = (x: number, y: number) => pixels[(y * width + x) * 3 + 2]!;
  assert(blue(27, 27) < 120 && blue(107, 107) > 240, `${blue(27, 27)}, ${blue(107, 107)}`);
});

Deno.test("POST /v1/classify?explain=1 draws over the whole picture, dark where nothing was seen", async () => {
  await using service = await startedApp();
  const data = new Uint8Array(48 * 16 * 3).fill(127);
  // Red in the left half of the central square.
  for (let at = 0; at < data.length; at += 3) {
    const x = at / 3 % 48;
    if (x >= 16 && x < 24) data.set([255, 0, 0], at);
  }
  const picture = encodePng({ width: 48, height: 16, channels: 3, data });
  const answer: Classification = await (await service.post(picture, "?explain=1")).json();
  const png = Uint8Array.fromBase64(answer.heat_map!.replace("data:image/png;base64,", ""));
  const { width, height, data: pixels } = await decodeImage(png);
  assertEquals([width, height], [128, 43]);
  const at = (x: number) => [...pixels.subarray((20 * width + x) * 3, (20 * width + x) * 3 + 3)];
  for (const x of [0, 41, 86, 127]) assertEquals(at(x), [115, 115, 115], `${x}`);
  const [left, right] = [at(52), at(80)];
  assert(left[0] === 255 && left[2]! < 120, `${left}`);
  assert(right[0] === 255 && right[2]! > 240, `${right}`);
});

Deno.test("POST /v1/classify asks the model and the version that are named", async () => {
  await using service = await startedApp();
  await publishColours(service.folder, { version: "v2" });
  await service.host.load("colours", "v2");
  for (const version of ["v1", "v2"]) {
    const answer = await (await service.post(red, `?model=colours&version=${version}`)).json();
    assertEquals(answer.version, version);
  }
  await problem(await service.post(red, "?model=pets"), 404, "model-not-found");
  await problem(await service.post(red, "?version=v3"), 404, "model-not-found");
});
