/** What one thread can do here at best: the bounds that the engines are held against. */
import { Buffer } from "node:buffer";
import asc from "assemblyscript/asc";

export interface Peak {
  /** Bytes of memory read in a second. */
  readonly bandwidth: number;
  /**
   * Multiply-adds of 8-bit integers in a second, in WebAssembly. There is none of float32: the same
   * loop reached 8.6 G, less than our own engine does (2026-11-28), and is no bound.
   */
  readonly int8: number;
}

/**
 * Twelve sums at once, so that no product waits for the one before, each of factors of its own, so that
 * no product is computed once for all.
 */
const SUMS = 12;
const SOURCE = `
export function int8(rounds: i32): i32 {
  let x = i8x16.splat(3);
  ${sums((i) => `let s${i} = i32x4.splat(${i}), w${i} = i8x16.splat(${i + 1});`)}
  for (let i = 0; i < rounds; i++) {
    ${sums((i) => `s${i} = i32x4.relaxed_dot_i8x16_i7x16_add_s(w${i}, x, s${i});`)}
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
const INT_LANES = 16;
const BYTES = 128 * 2 ** 20;

/** The best of several tries: other work on the machine only ever slows one down. */
export async function measurePeak(): Promise<Peak> {
  const int8 = await compile();
  const [a, b] = [Buffer.alloc(BYTES, 1), Buffer.alloc(BYTES, 1)];
  return {
    bandwidth: 2 * BYTES / best(() => a.compare(b)),
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

async function compile(): Promise<(rounds: number) => number> {
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
  if (error || !binary) throw new SyntaxError(`Cannot build the loop:\n${stderr.toString()}`);
  const { instance } = await WebAssembly.instantiate(binary);
  return instance.exports["int8"] as (rounds: number) => number;
}
