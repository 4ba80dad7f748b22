import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fixture } from "../fixtures/colours.ts";
import { startedApp } from "../fixtures/started_app.ts";

const [red, blue] = [await fixture("red.png"), await fixture("blue.jpg")];

function form(files: Record<string, Uint8Array<ArrayBuffer>>): FormData {
  const data = new FormData();
  for (const [name, bytes] of Object.entries(files)) data.append("file", new Blob([bytes]), name);
  return data;
}

Deno.test("POST /v1/classify takes forms, JSON and raw bytes alike", async () => {
  await using service = await startedApp();
  const json = { "Content-Type": "application/json" };
  const dataUrl = `data:image/png;base64,${red.toBase64()}`;
  const ways: [BodyInit, HeadersInit][] = [
    [red, {}],
    [form({ "red.png": red }), {}],
    [JSON.stringify({ image: red.toBase64() }), json],
    [JSON.stringify({ image: dataUrl }), json],
  ];
  for (const [body, headers] of ways) {
    const { model, predictions } = await (await service.post(body, "?top=2", headers)).json();
    assertEquals([model, predictions.length, predictions[0].label], ["colours", 2, "red"]);
  }
  const body = JSON.stringify({ image: dataUrl, top: 1 });
  assertEquals((await (await service.post(body, "", json)).json()).predictions.length, 1);

  const asked = form({ "red.png": red });
  asked.append("top", "3");
  assertEquals((await (await service.post(asked)).json()).predictions.length, 3);
});

Deno.test("POST /v1/classify gives each of several images its own answer or error", async () => {
  await using service = await startedApp();
  const cut = red.slice(0, red.length - 30);
  const files = form({ "a.png": red, "b.jpg": blue, "c.png": cut });
  const { results } = await (await service.post(files, "?top=1")).json();
  assertEquals(results.map(({ name }: { name: string }) => name), ["a.png", "b.jpg", "c.png"]);
  assertEquals([results[0].predictions[0].label, results[1].predictions[0].label], ["red", "blue"]);
  assertEquals([results[2].error.type, results[2].error.status], ["/problems/corrupt-image", 422]);
  const body = JSON.stringify({ images: [blue.toBase64()] });
  const list = await service.post(body, "", { "Content-Type": "application/json" });
  assertEquals((await list.json()).results[0].predictions[0].label, "blue");
});

Deno.test("POST /v1/classify answers 400 to forms and JSON that cannot be read", async () => {
  await using service = await startedApp();
  const json = "application/json";
  const broken: [BodyInit, string, string][] = [
    ['{"image"', json, "the JSON is broken"],
    ["{}", json, 'expected one of "image", "images", "url" and "urls"'],
    ['{"image": 5}', json, "image: "],
    ['{"image": "%%%"}', json, "neither base64 nor a data URL"],
    ['{"image": "data:image/png,raw"}', json, "neither base64 nor a data URL"],
    ["--x\r\nbroken", "multipart/form-data; boundary=x", "the form"],
    ["--x--\r\n", "multipart/form-data; boundary=x", "the form"],
  ];
  for (const [body, type, detail] of broken) {
    const response = await service.post(body, "", { "Content-Type": type });
    const problem = await response.json();
    assertEquals([response.status, problem.type], [400, "/problems/unreadable-request"], detail);
    assertStringIncludes(problem.detail, detail);
  }
});

Deno.test("POST /v1/classify answers in the form that Accept asks for", async () => {
  await using service = await startedApp({}, { labels: ["<red>", "green", "blue", "white"] });
  const ask = (accept: string) => service.post(red, "?top=2", { Accept: accept });
  const text = await ask("text/plain");
  assertEquals((await text.text()).split("\n")[0]!.replace(/^ *[\d.]+/, "n"), "n %  <red>");
  const page = await ask("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
  assertStringIncludes(page.headers.get("Content-Type")!, "text/html");
  const html = await page.text();
  assert(html.includes("&lt;red&gt;") && !html.includes("<red>"), html);
  for (const accept of ["*/*", "application/json", "image/png"]) {
    assertStringIncludes((await ask(accept)).headers.get("Content-Type")!, "application/json");
  }
});
