import { assertEquals, assertThrows } from "@std/assert";
import { decodeImage } from "../../../shared/image/decode.ts";
import { contactSheet } from "./contact_sheet.ts";
import { encodePng } from "./png.ts";

Deno.test("contactSheet() lays pictures out in rows with a white gap", async () => {
  const pictures = [10, 20, 30].map((value) => new Uint8Array(2 * 2 * 3).fill(value));
  const sheet = await decodeImage(contactSheet(pictures, { side: 2, columns: 2, gap: 1 }));
  assertEquals([sheet.width, sheet.height], [7, 7]);
  const row = (y: number) => Array.from({ length: 7 }, (_, x) => sheet.data[(y * 7 + x) * 3]);
  assertEquals(row(0), [255, 255, 255, 255, 255, 255, 255]);
  assertEquals(row(1), [255, 10, 10, 255, 20, 20, 255]);
  assertEquals(row(5), [255, 30, 30, 255, 255, 255, 255]);
});

Deno.test("encodePng() keeps every pixel", async () => {
  const pixels = Uint8Array.from({ length: 7 * 5 * 3 }, (_, i) => (i * 89) % 256);
  const { width, height, channels, data } = await decodeImage(encodePng(pixels, 7, 5));
  assertEquals([width, height, channels], [7, 5, 3]);
  assertEquals(data, pixels);
});

Deno.test("encodePng() rejects a size that the pixels do not have", () => {
  assertThrows(() => encodePng(new Uint8Array(10), 2, 2), RangeError, "10 bytes are not 2 × 2 × 3");
});
