import { assertEquals } from "@std/assert";
import { compileKernels, instantiateKernels, KERNEL_BYTES } from "./load_kernels.ts";

const ALL = Uint16Array.from({ length: 65_536 }, (_, number) => number);
const NUMBERS = Float32Array.from(new Float16Array(ALL.buffer));

for (const build of ["relaxed", "plain"] as const) {
  /** Kernels over a memory that begins with every float16 number. */
  const withAll = async () => {
    const memory = new WebAssembly.Memory({ initial: 8, maximum: 65_536 });
    const kernels = instantiateKernels(await compileKernels(false, build), memory);
    new Uint16Array(memory.buffer, KERNEL_BYTES, ALL.length).set(ALL);
    return { memory, kernels, to: KERNEL_BYTES + ALL.byteLength };
  };

  Deno.test(`widenF16() gives every float16 number as V8 does, ${build}`, async () => {
    const { memory, kernels, to } = await withAll();
    kernels.widenF16(KERNEL_BYTES, ALL.length, to);
    assertEquals(new Float32Array(memory.buffer, to, ALL.length), NUMBERS);
  });

  Deno.test(`recodeF16() keeps every float16 number below 128 and tells of others, ${build}`, async () => {
    const { memory, kernels, to } = await withAll();
    const over = to + ALL.byteLength;
    const found = new Float32Array(ALL.length);
    const told = ALL.map((_, i) => {
      if (i % 8 !== 0) return 0;
      kernels.recodeF16(KERNEL_BYTES + 2 * i, 8, to, over);
      const codes = new Uint16Array(memory.buffer, to, 8);
      // As products take them: a shift to float32's place, and a power of two.
      const bits = Int32Array.from(codes, (code) => ((code << 16) >> 3) & 0x8fffe000);
      found.set(new Float32Array(bits.buffer).map((number) => number * 2 ** 64 * 2 ** 38), i);
      return Number(new Int32Array(memory.buffer, over, 4).some((large) => large !== 0));
    });
    NUMBERS.forEach((number, i) => {
      const small = Math.abs(number) < 128;
      assertEquals(told[i - i % 8], Number(!small), `${number}`);
      if (small) assertEquals(found[i], number);
    });
  });
}
