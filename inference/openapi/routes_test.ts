import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fixture } from "../fixtures/colours.ts";
import { startedApp } from "../fixtures/started_app.ts";
import { ClassificationAnswer, InferAnswer, ModelMetadata, Problem, Results } from "./answers.ts";

const red = await fixture("red.png");

Deno.test("GET /openapi.json has the parameters and bodies that requests are checked with", async () => {
  await using service = await startedApp();
  const document = await (await service.app.request("/openapi.json")).json();
  assertEquals(document.openapi, "3.1.0");
  const { parameters, requestBody, responses } = document.paths["/v1/classify"].post;
  const names = parameters.map(({ name }: { name: string }) => name);
  assertEquals(names, ["top", "model", "version", "views", "threshold", "explain"]);
  assertEquals(Object.keys(requestBody.content).sort(), [
    "application/json",
    "application/octet-stream",
    "multipart/form-data",
  ]);
  for (const status of ["200", "304", "400", "404", "413", "415", "422", "503"]) {
    assert(status in responses, status);
  }
});

Deno.test("GET /openapi.json says where a key may be asked for, and sorts by protocol", async () => {
  await using service = await startedApp();
  const { paths, components } = await (await service.app.request("/openapi.json")).json();
  assertEquals(Object.keys(components.securitySchemes), ["bearer", "header"]);
  assertEquals(paths["/v1/classify"].post.security, [{}, { bearer: [] }, { header: [] }]);
  assertEquals(paths["/healthz"].get.security, []);
  assertEquals(paths["/hf/{model}"].post.tags, ["Hugging Face"]);
});

Deno.test("what the service answers is what /openapi.json says", async () => {
  await using service = await startedApp();
  const json = async (response: Response | Promise<Response>) => await (await response).json();
  const strict = (schema: { strict?: () => { parse(value: unknown): unknown } }) =>
    schema.strict!();
  strict(ClassificationAnswer).parse(await json(service.post(red)));
  strict(ClassificationAnswer).parse(await json(service.post(red, "?explain=1")));
  strict(Problem).parse(await json(service.post(red.subarray(0, 40))));
  const form = new FormData();
  form.append("a", new Blob([red]), "a.png");
  form.append("b", new Blob(["x"]), "b.png");
  Results.parse(await json(service.post(form)));
  strict(ModelMetadata).parse(await json(service.app.request("/v2/models/colours")));
  const inputs = [{ name: "x", datatype: "BYTES", shape: [1], data: [red.toBase64()] }];
  const init = { method: "POST", body: JSON.stringify({ inputs }) };
  strict(InferAnswer).parse(await json(service.app.request("/v2/models/colours/infer", init)));
});

Deno.test("GET /docs serves Swagger UI from here alone", async () => {
  await using service = await startedApp();
  const page = await service.app.request("/docs");
  assertStringIncludes(page.headers.get("Content-Security-Policy")!, "script-src 'self'");
  const html = await page.text();
  for (const [, address] of html.matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
    const file = await service.app.request(address!);
    assertEquals(file.status, 200, address);
    assert((await file.bytes()).length > 50, address);
  }
  assert(!/https?:/.test(html));
});
