// The unmodified client of Hugging Face, over HTTP.
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { InferenceClient } from "@huggingface/inference";
import { coloursProbabilities, fixture } from "../fixtures/colours.ts";
import { startedApp } from "../fixtures/started_app.ts";

const red = await fixture("red.png");

Deno.test("POST /hf/:model answers @huggingface/inference", async () => {
  await using service = await startedApp();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => service.app.fetch(request),
  );
  const endpointUrl = `http://127.0.0.1:${server.addr.port}/hf/colours`;
  const client = new InferenceClient("hf_any", { endpointUrl });
  const answers = await client.imageClassification({ data: new Blob([red]) });
  assertEquals(answers.map(({ label }) => label)[0], "red");
  assertAlmostEquals(answers[0]!.score, coloursProbabilities["red.png"]![0]!, 1e-5);
  await server.shutdown();
});

Deno.test("POST /hf/:model takes base64 in JSON, and refuses what it cannot do", async () => {
  await using service = await startedApp();
  const ask = (body: unknown) =>
    service.app.request("/hf/colours", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  const inputs = red.toBase64();
  const two = await (await ask({ inputs, parameters: { top_k: 2, other: 1 }, more: true })).json();
  assertEquals(two.map(({ label }: { label: string }) => label)[0], "red");
  assertEquals(two.length, 2);
  assertEquals((await ask({ inputs, parameters: { function_to_apply: "sigmoid" } })).status, 400);
  assertEquals((await ask({ inputs: "%" })).status, 400);
  assertEquals((await ask({})).status, 400);
  const none = await service.app.request("/hf/pets", { method: "POST", body: red });
  assertEquals([none.status, (await none.json()).type], [404, "/problems/model-not-found"]);
});
