import { assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import { coloursCard } from "../fixtures/colours_card.ts";
import { publishColours } from "../fixtures/colours_store.ts";
import { startedApp } from "../fixtures/started_app.ts";

Deno.test("GET /models/{model} shows the card, escaped, and links what belongs to it", async () => {
  await using service = await startedApp({}, coloursCard());
  const response = await service.app.request("/models/colours");
  assertEquals(response.status, 200);
  assertMatch(
    response.headers.get("Content-Security-Policy")!,
    /^default-src 'none'; style-src 'self'/,
  );
  const page = await response.text();
  for (
    const expected of [
      "<p>Naming the colour of a swatch.</p>",
      "Photographs of anything &lt;script&gt;alert(1)&lt;/script&gt;.",
      "<li>It has no word for black.</li>",
      "87.5 % (73.9 % to 94.5 % at 95 %)",
      "<li>blue for red: 3 images</li>",
      "400 training, 40 validation and 40 test images",
      `href="../models/colours/runs/20261128-030000-abc"`,
      "c0ffee",
    ]
  ) assertStringIncludes(page, expected);
  assertFalse(page.includes("<script"));
  assertMatch(page, /blue[^]*red[^]*green/, "the class it knows worst comes first");
  assertFalse(/undefined|null|NaN/.test(page));
});

Deno.test("GET /models/{model}/versions/{version} shows any loaded version, and no other", async () => {
  await using service = await startedApp();
  await publishColours(service.folder, { version: "v2" });
  await service.host.load("colours", "v2");
  const of = (path: string) => service.app.request(`/models/colours${path}`);
  const current = await (await of("")).text();
  assertStringIncludes(current, "Version v1");
  assertStringIncludes(current, `href="../models/colours/versions/v2"`);
  const other = await (await of("/versions/v2")).text();
  assertStringIncludes(other, "Version v2");
  assertStringIncludes(other, `href="../../../page/model.css"`);
  assertEquals((await of("/versions/v9")).status, 404);
  assertEquals((await service.app.request("/models/pets")).status, 404);
  assertEquals((await service.app.request("/page/model.css")).status, 200);
});

Deno.test("GET / links the model's page", async () => {
  await using service = await startedApp();
  const page = await (await service.app.request("/")).text();
  assertStringIncludes(page, `<a href="models/colours">About this model</a>`);
});
