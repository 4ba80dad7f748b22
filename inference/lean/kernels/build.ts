/**
 * Builds the kernels: AssemblyScript → WebAssembly, once with relaxed SIMD and once without.
 *
 *   deno task build:kernels
 *
 * @module
 */
import asc from "assemblyscript/asc";

/** The builds, by file name, with the features of WebAssembly that each asks of an engine. */
export const BUILDS = {
  "kernels_relaxed.wasm": "simd,relaxed-simd,bulk-memory",
  "kernels_plain.wasm": "simd,bulk-memory",
} as const;

/**
 * @throws {SyntaxError} with the compiler's own words.
 */
export async function buildKernels(features: string): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const folder = new URL(".", import.meta.url);
  const { error, stderr } = await asc.main([
    "kernels.ts",
    "-O3",
    "--converge",
    ...["--runtime", "stub", "--noAssert", "--importMemory"],
    // With a maximum, as a memory that threads share has to have.
    ...["--initialMemory", "1", "--maximumMemory", "65536"],
    ...["--enable", features, "--outFile", "kernels.wasm"],
  ], {
    // Deno wants the suffix in an import, and the compiler adds it once more.
    readFile: (name) => readText(new URL(name.replace(/\.ts\.ts$/, ".ts"), folder)),
    writeFile: (_name, contents) => void (binary = contents as Uint8Array),
    listFiles: () => [],
  });
  if (error || !binary) throw new SyntaxError(`Cannot build the kernels:\n${stderr.toString()}`);
  return binary;
}

function readText(url: URL): string | null {
  try {
    return Deno.readTextFileSync(url);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

if (import.meta.main) {
  for (const [file, features] of Object.entries(BUILDS)) {
    const binary = await buildKernels(features);
    await Deno.writeFile(new URL(file, import.meta.url), binary);
    console.log(`${file}  ${binary.length} bytes`);
  }
}
