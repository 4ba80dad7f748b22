import { assertEquals } from "@std/assert";
import { packInt4, unpackInt4 } from "./int4.ts";

Deno.test("packInt4() puts the first of two numbers into the lower half, as onnx.proto says", () => {
  // ONNX's helper.pack_float32_to_4bit([1, -2, 7, -8, 3], signed=True) of 1.23.2.
  const bytes = Uint8Array.of(0xe1, 0x87, 0x03);
  assertEquals(packInt4([1, -2, 7, -8, 3]), bytes);
  assertEquals(unpackInt4(bytes, 5), Int8Array.of(1, -2, 7, -8, 3));
  assertEquals(unpackInt4(bytes, 6), Int8Array.of(1, -2, 7, -8, 3, 0));
});
