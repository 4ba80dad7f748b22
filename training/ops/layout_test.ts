import { assertEquals, assertThrows } from "@std/assert";
import { fromStorage, toStorage } from "./layout.ts";
import { imageShape } from "./op.ts";

Deno.test("toStorage() puts channels innermost and pads them with zeros to four", () => {
  const shape = imageShape(2, 1, 3);
  const values = Float32Array.of(1, 2, 3, 11, 12, 13, 4, 5, 6, 14, 15, 16);
  const stored = toStorage(values, shape, 2);
  assertEquals(
    [...stored],
    [1, 11, 2, 12, 3, 13, 4, 14, 5, 15, 6, 16].flatMap((value, i) =>
      i % 2 === 0 ? [value] : [value, 0, 0]
    ),
  );
  assertEquals(fromStorage(stored, shape, 2), values);
});

Deno.test("toStorage() of a flattened image lies as the image does", () => {
  const image = imageShape(5, 3, 2);
  const flat = { channels: 30, height: 1, width: 1, stride: 48, flattened: image };
  const values = Float32Array.from({ length: 60 }, (_, i) => i + 1);
  const stored = toStorage(values, image, 2);
  assertEquals(toStorage(values, flat, 2), stored);
  assertEquals(fromStorage(stored, flat, 2), values);
});

Deno.test("toStorage() and fromStorage() refuse another count of numbers", () => {
  const shape = imageShape(3, 2, 2);
  assertThrows(() => toStorage(new Float32Array(13), shape, 1), RangeError, "expected 12");
  assertThrows(() => fromStorage(new Float32Array(12), shape, 1), RangeError, "expected 16");
});
