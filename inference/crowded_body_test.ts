import { assertEquals, assertLess, assertRejects } from "@std/assert";
import { isCrowdedForm, isCrowdedJson } from "./crowded_body.ts";
import { ProblemError } from "./problem.ts";
import { readImages } from "./request_images.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const part = (boundary: string) =>
  `--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n`;

Deno.test("isCrowdedForm() counts parts, however the boundary is written", () => {
  for (const parameter of ["b", '"b"', "b; charset=utf-8"]) {
    const type = `multipart/form-data; boundary=${parameter}`;
    assertEquals(isCrowdedForm(bytes(part("b").repeat(200)), type), false);
    assertEquals(isCrowdedForm(bytes(part("b").repeat(300)), type), true);
    assertEquals(isCrowdedForm(bytes(part("c").repeat(300)), type), false);
  }
  assertEquals(isCrowdedForm(bytes(part("b").repeat(300)), "multipart/form-data"), false);
});

Deno.test("isCrowdedJson() lets base64 of any length pass", () => {
  const image = `data:image/png;base64,${"A".repeat(1e6)}`;
  assertEquals(isCrowdedJson(bytes(JSON.stringify({ images: Array(32).fill(image) }))), false);
  assertEquals(isCrowdedJson(bytes("[".repeat(2001))), true);
  assertEquals(isCrowdedJson(bytes(JSON.stringify(Array(3000).fill(1)))), true);
});

Deno.test("readImages() refuses crowded bodies of 10 MB in a moment", async () => {
  const form = bytes(part("b").repeat(190_000));
  const started = performance.now();
  for (
    const [body, type] of [
      [form, "multipart/form-data; boundary=b"],
      [bytes(`{"image":${"[".repeat(9e6)}`), "application/json"],
    ] as const
  ) {
    await assertRejects(() => readImages(body, type), ProblemError, "too many");
  }
  // Half a second each without.
  assertLess(performance.now() - started, 400);
});
