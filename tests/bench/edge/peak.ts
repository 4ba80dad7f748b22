/** What one thread can do here at best: the bounds that the engines are held against. */
import { Buffer } from "node:buffer";
import asc from "assemblyscript/asc";

export interface Peak {
  /** Bytes of memory read in a second. */
  readonly bandwidth: number;
  /** Multiply-adds in a second, in WebAssembly with everything in registers. */
  readonly float32: number;
  readonly int8: number;
}

/**
 * Eight sums at once, so that no product waits for the one before. Factors come from a parameter: the
 * engine would load constants again for every product.
 */
const SUMS = 8;
const SOURCE = `
export function float32(rounds: i32): f32 {
  const x = f32x4.splat(<f32>rounds * 0.000001);
  ${sums((i) => `let s${i} = f32x4.splat(${i});`)}
  for (let i = 0; i < rounds; i++) {
    ${sums((i) => `s${i} = f32x4.relaxed_madd(x, x, s${i});`)}
  }
  return f32x4.extract_lane(${total("f32x4.add")}, 0);
}
export function int8(rounds: i32): i32 {
  let x = i8x16.splat(<i8>rounds);
  ${sums((i) => `let s${i} = i32x4.splat(${i});`)}
  for (let i = 0; i < rounds; i++) {
    ${sums((i) => `s${i} = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, x, s${i});`)}
    x = v128.and(i8x16.add(x, x), i8x16.splat(15));
  }
  return i32x4.extract_lane(${total("i32x4.add")}, 0);
}`;

function sums(line: (index: number) => string): string {
  return Array.from({ length: SUMS }, (_, i) => line(i)).join("\n    ");
}

function total(add: string): string {
  return Array.from({ length: SUMS - 1 }, (_, i) => i + 1)
    .reduce((sum, i) => `${add}(${sum}, s${i})`, "s0");
}

const ROUNDS = 500_000;
const FLOAT_LANES = 4;
const INT_LANES = 16;
const BYTES = 128 * 2 ** 20;

/** The best of several tries: other work on the machine only ever slows one down. */
export async function measurePeak(): Promise<Peak> {
  const { float32, int8 } = await compile();
  const [a, b] = [Buffer.alloc(BYTES, 1), Buffer.alloc(BYTES, 1)];
  return {
    bandwidth: 2 * BYTES / best(() => a.compare(b)),
    float32: SUMS * FLOAT_LANES * ROUNDS / best(() => float32(ROUNDS)),
    int8: SUMS * INT_LANES * ROUNDS / best(() => int8(ROUNDS)),
  };
}

/** Long enough for the engine to compile a loop a second time, with optimisation, beside other work. */
const LONG_MS = 2000;

/** Seconds. */
function best(work: () => unknown): number {
  let least = Infinity;
  for (const end = performance.now() + LONG_MS; performance.now() < end;) {
    const started = performance.now();
    work();
    least = Math.min(least, (performance.now() - started) / 1000);
  }
  return least;
}

type Loop = (rounds: number) => number;

async function compile(): Promise<{ float32: Loop; int8: Loop }> {
  let binary: Uint8Array<ArrayBuffer> | undefined;
  const { error, stderr } = await asc.main([
    "peak.ts",
    ...["-O3", "--runtime", "stub", "--noAssert"],
    ...["--enable", "simd,relaxed-simd", "--outFile", "peak.wasm"],
  ], {
    readFile: (name) => name.startsWith("peak") ? SOURCE : null,
    writeFile: (_name, contents) => void (binary = contents as Uint8Array<ArrayBuffer>),
    listFiles: () => [],
  });
  if (error || !binary) throw new SyntaxError(`Cannot build the loops:\n${stderr.toString()}`);
  const { instance } = await WebAssembly.instantiate(binary);
  return instance.exports as unknown as { float32: Loop; int8: Loop };
}
