import { assertEquals } from "@std/assert";
import { readBytes, readFloats, storageBuffer, storageBufferOf } from "./buffers.ts";
import { openGpu } from "./device.ts";

const gpu = await openGpu();
const { device } = gpu;

Deno.test("storageBufferOf() holds bytes of any number, the rest zero", async () => {
  for (const length of [1, 3, 4, 7, 64]) {
    const whole = Uint8Array.from({ length: length + 5 }, (_, i) => 200 - i);
    const buffer = storageBufferOf(device, whole.subarray(5), "bytes");
    const held = new Uint8Array(await readBytes(device, buffer));
    assertEquals(held.length, Math.ceil(length / 4) * 4);
    assertEquals(held.subarray(0, length), whole.subarray(5));
    assertEquals(held.subarray(length), new Uint8Array(held.length - length));
    buffer.destroy();
  }
  gpu.check();
});

Deno.test("readFloats() reads a range", async () => {
  const buffer = storageBufferOf(device, Float32Array.of(1, 2, 3, 4, 5), "floats");
  assertEquals([...await readFloats(device, buffer)], [1, 2, 3, 4, 5]);
  assertEquals([...await readFloats(device, buffer, { offset: 8 })], [3, 4, 5]);
  assertEquals([...await readFloats(device, buffer, { offset: 4, size: 8 })], [2, 3]);
  buffer.destroy();
});

Deno.test("storageBuffer() is zeroed and never empty", async () => {
  for (const [bytes, size] of [[0, 4], [5, 8], [16, 16]] as const) {
    const buffer = storageBuffer(device, bytes, "zeros");
    assertEquals(new Uint8Array(await readBytes(device, buffer)), new Uint8Array(size));
    buffer.destroy();
  }
});
