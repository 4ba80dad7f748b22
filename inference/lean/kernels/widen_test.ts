import { assertEquals } from "@std/assert";
import { compileKernels, instantiateKernels, KERNEL_BYTES } from "./load_kernels.ts";

for (const build of ["relaxed", "plain"] as const) {
  Deno.test(`widenF16() gives every float16 number as V8 does, ${build}`, async () => {
    const memory = new WebAssembly.Memory({ initial: 8, maximum: 65_536 });
    const kernels = instantiateKernels(await compileKernels(false, build), memory);
    const bits = Uint16Array.from({ length: 65_536 }, (_, number) => number);
    const from = KERNEL_BYTES;
    const to = from + bits.byteLength;
    new Uint16Array(memory.buffer, from, bits.length).set(bits);
    kernels.widenF16(from, bits.length, to);
    const expected = Float32Array.from(new Float16Array(bits.buffer));
    assertEquals(new Float32Array(memory.buffer, to, bits.length), expected);
  });
}
