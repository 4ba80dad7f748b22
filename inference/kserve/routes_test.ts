import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { preprocess } from "../../shared/image/preprocess.ts";
import { coloursManifest, coloursProbabilities, fixture } from "../fixtures/colours.ts";
import { publishColours } from "../fixtures/colours_store.ts";
import { OPEN, startedApp } from "../fixtures/started_app.ts";
import { makeApiKey, parseApiKeys } from "../middleware/api_keys.ts";
import { Guard } from "../middleware/guard.ts";

const red = await fixture("red.png");
const blue = await fixture("blue.jpg");
const tensor = await preprocess(red, coloursManifest().preprocess);
const expected = coloursProbabilities["red.png"]!;

async function get(service: Awaited<ReturnType<typeof startedApp>>, path: string) {
  const response = await service.app.request(path);
  return { status: response.status, body: await response.json() };
}

async function infer(
  service: Awaited<ReturnType<typeof startedApp>>,
  body: unknown,
  path = "/v2/models/colours/infer",
) {
  const response = await service.app.request(path, { method: "POST", body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}

const images = (...files: Uint8Array[]) => ({
  name: "image_bytes",
  datatype: "BYTES",
  shape: [files.length],
  data: files.map((file) => file.toBase64()),
});

Deno.test("GET /v2… gives health and metadata", async () => {
  await using service = await startedApp();
  assertEquals((await get(service, "/v2")).body.name, "topfive");
  assertEquals((await get(service, "/v2/health/live")).body, { live: true });
  assertEquals((await get(service, "/v2/health/ready")).body, { live: true, ready: true });
  for (const path of ["/v2/models/colours", "/v2/models/colours/versions/v1"]) {
    const { body } = await get(service, path);
    assertEquals([body.name, body.versions, body.platform], ["colours", ["v1"], "onnx_onnxv1"]);
    assertEquals(body.inputs[0], { name: "image", datatype: "FP32", shape: [-1, 3, 16, 16] });
    assertEquals(body.outputs, [{ name: "probabilities", datatype: "FP32", shape: [-1, 4] }]);
    assertEquals((await get(service, `${path}/ready`)).body, { name: "colours", ready: true });
  }
  const missing = await get(service, "/v2/models/pets");
  assertEquals([missing.status, typeof missing.body.error], [404, "string"]);
});

Deno.test("POST /v2/models/:m/infer takes tensors, nested or flat, and encoded images", async () => {
  await using service = await startedApp();
  const input = { name: "image", datatype: "FP32", shape: [1, 3, 16, 16] };
  const nested = [[[[...tensor]]]];
  for (const data of [[...tensor], nested]) {
    const { body } = await infer(service, { id: "7", inputs: [{ ...input, data }] });
    assertEquals([body.model_name, body.model_version, body.id], ["colours", "v1", "7"]);
    const [output] = body.outputs;
    assertEquals([output.name, output.datatype, output.shape], ["probabilities", "FP32", [1, 4]]);
    for (const [index, value] of expected.entries()) {
      assertAlmostEquals(output.data[index], value, 1e-5);
    }
  }
  const two = await infer(service, { inputs: [images(red, blue)] });
  assertEquals(two.body.outputs[0].shape, [2, 4]);
  assertAlmostEquals(two.body.outputs[0].data[0], expected[0]!, 1e-5);
  assert(two.body.outputs[0].data[4 + 2] > 0.5, "the second is blue");
});

Deno.test("POST /v2/models/:m/infer has Triton's classification extension", async () => {
  await using service = await startedApp();
  const outputs = [{ name: "probabilities", parameters: { classification: 2 } }];
  const { body } = await infer(service, { inputs: [images(red)], outputs });
  const [output] = body.outputs;
  assertEquals([output.datatype, output.shape], ["BYTES", [1, 2]]);
  const [value, index, label] = output.data[0].split(":");
  assertAlmostEquals(Number(value), expected[0]!, 1e-5);
  assertEquals([index, label], ["0", "red"]);
});

Deno.test("POST /v2/models/:m/infer has Triton's binary extension both ways", async () => {
  await using service = await startedApp();
  const raw = new Uint8Array(tensor.buffer);
  const json = new TextEncoder().encode(JSON.stringify({
    inputs: [{
      name: "image",
      datatype: "FP32",
      shape: [1, 3, 16, 16],
      parameters: { binary_data_size: raw.length },
    }],
    parameters: { binary_data_output: true },
  }));
  const response = await service.app.request("/v2/models/colours/infer", {
    method: "POST",
    headers: { "Inference-Header-Content-Length": String(json.length) },
    body: new Blob([json, raw]),
  });
  const length = Number(response.headers.get("Inference-Header-Content-Length"));
  const bytes = await response.bytes();
  const { outputs } = JSON.parse(new TextDecoder().decode(bytes.subarray(0, length)));
  assertEquals(outputs[0].parameters, { binary_data_size: 16 });
  const values = new Float32Array(bytes.slice(length).buffer);
  for (const [index, value] of expected.entries()) assertAlmostEquals(values[index]!, value, 1e-5);
});

Deno.test("POST /v2/models/:m/infer answers 400 to what breaks the protocol", async () => {
  await using service = await startedApp();
  const input = { name: "image", datatype: "FP32", shape: [1, 3, 16, 16], data: [...tensor] };
  const nested = (depth: number) => JSON.parse("[".repeat(depth) + "1" + "]".repeat(depth));
  const broken: [unknown, string][] = [
    [{}, "inputs: "],
    [{ inputs: [{ ...input, shape: [1, 3, 8, 8] }] }, "expected [-1,3,16,16]"],
    [{ inputs: [{ ...input, data: [1] }] }, "image has 1 values, its shape 768"],
    [{ inputs: [{ ...input, data: ["a"] }] }, "something else than numbers"],
    [{ inputs: [{ ...input, data: nested(5000) }] }, "something else than numbers"],
    [{ inputs: [{ ...input, datatype: "INT8" }] }, "input image is INT8"],
    [{ inputs: [{ ...input, name: "x" }] }, "input x is FP32"],
    [{ inputs: [{ ...input, shape: [1000000, 3, 16, 16] }] }, "expected 1 to 64 first"],
    [{ inputs: [input, input] }, "one input"],
    [{ inputs: [{ ...input, parameters: { binary_data_size: 9 } }] }, "binary_data_size of image"],
    [{ inputs: [input], outputs: [{ name: "x" }] }, "the model has no output x"],
    [
      { inputs: [input], outputs: [{ name: "probabilities", parameters: { classification: 0 } }] },
      "classification is 0",
    ],
  ];
  for (const [request, message] of broken) {
    const { status, body } = await infer(service, request);
    assertEquals(status, 400, message);
    assertStringIncludes(body.error, message);
  }
});

Deno.test("POST /v2/repository… lists states, and loads and unloads with a key alone", async () => {
  const { key, sha256 } = makeApiKey();
  const apiKeys = parseApiKeys(`ops:admin:${sha256}`);
  await using service = await startedApp({ guard: new Guard({ ...OPEN, apiKeys }) });
  await publishColours(service.folder, { version: "v2" });
  const post = async (path: string, body: unknown, authorization = "") => {
    const headers = authorization ? { Authorization: authorization } : undefined;
    const init = { method: "POST", body: JSON.stringify(body), ...(headers ? { headers } : {}) };
    const response = await service.app.request(path, init);
    return { status: response.status, body: await response.json() };
  };
  const path = "/v2/repository/models/colours";
  assertEquals((await post(`${path}/load`, {})).status, 401);
  assertEquals((await post(`${path}/load`, {}, "Bearer wrong")).status, 401);
  assertEquals((await post(`${path}/load`, {}, `Bearer ${key}`)).status, 200);
  assertEquals(service.host.find().manifest.version, "v2");
  const refused = await post(`${path}/load`, { parameters: { version: "v9" } }, `Bearer ${key}`);
  assertStringIncludes(refused.body.error, "Cannot find version v9 of colours");
  const index = await post("/v2/repository/index", {});
  assertEquals(
    index.body.map(({ version, state }: Record<string, string>) => [version, state]),
    [["v2", "READY"], ["v9", "UNAVAILABLE"]],
  );
  assertEquals((await post("/v2/repository/index", { ready: true })).body.length, 1);
  assertEquals((await post(`${path}/unload`, {}, `Bearer ${key}`)).status, 200);
  assertEquals((await get(service, "/v2/health/ready")).status, 503);
});

Deno.test("GET /v2/models/…/stats counts as Triton's statistics extension does", async () => {
  await using service = await startedApp({ cacheEntries: 4 });
  const json = async (path: string) => await (await service.app.request(path)).json();
  const { extensions } = await json("/v2");
  assert(extensions.includes("statistics"));
  const tensor = { name: "image", datatype: "FP32", shape: [2, 3, 16, 16], data: [] as number[] };
  tensor.data = Array.from({ length: 2 * 3 * 16 * 16 }, () => 0.5);
  await infer(service, { inputs: [tensor] });
  await service.post(await fixture("red.png"));
  await service.post(await fixture("red.png"));
  await service.post("no image");
  const paths = ["/v2/models/colours/stats", "/v2/models/colours/versions/v1/stats"];
  for (const path of ["/v2/models/stats", ...paths]) {
    const { model_stats: [stats, ...others] } = await json(path);
    assertEquals([others.length, stats.name, stats.version], [0, "colours", "v1"]);
    assertEquals(stats.inference_count, 3);
    const { success, fail, queue, compute_infer, cache_hit, cache_miss } = stats.inference_stats;
    assertEquals([success.count, fail.count, cache_hit.count, cache_miss.count], [4, 1, 1, 3]);
    assert(compute_infer.ns > 0 && success.ns >= compute_infer.ns + queue.ns);
    const runs = stats.batch_stats.map((
      batch: { batch_size: number; compute_infer: { count: number } },
    ) => [batch.batch_size, batch.compute_infer.count]);
    assertEquals(runs, [[1, 1], [2, 1]]);
    assertEquals(stats.execution_count, 2);
    assert(Math.abs(Date.now() - stats.last_inference) < 60_000);
  }
  assertEquals((await service.app.request("/v2/models/none/stats")).status, 404);
  assertEquals((await service.app.request("/v2/models/colours/versions/v9/stats")).status, 404);
});
