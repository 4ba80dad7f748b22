/** The kernels' own parameters: addresses, sizes and strides are bytes where the name says so. */
type Kernel = (...parameters: number[]) => void;

/** What the WebAssembly module exports: see the file of each name in this folder. */
export interface Kernels {
  /** Which build this is. */
  readonly build: "relaxed" | "plain";
  readonly productF32: Kernel;
  readonly productI8: Kernel;
  readonly productI4: Kernel;
  readonly blockSums: Kernel;
  readonly packF32: Kernel;
  readonly packI8: Kernel;
  readonly packRowsF32: Kernel;
  readonly packRowsI8: Kernel;
  readonly packColumnsF32: Kernel;
  readonly packColumnsI8: Kernel;
  readonly packColumnsI4: Kernel;
  readonly poolF32: Kernel;
  readonly unaryF32: Kernel;
  readonly binaryF32: Kernel;
  readonly quantizeI7: Kernel;
  readonly softmaxF32: Kernel;
  readonly lrnF32: Kernel;
  readonly pixelsF32: Kernel;
  readonly pixelsI7: Kernel;
  readonly planesF32: Kernel;
  readonly fill: Kernel;
}

/** Bytes of memory that belong to the kernels themselves: tables of exp and pow. */
export const KERNEL_BYTES = 65_536;

// Literal addresses: the service's bundle finds its files by them.
const BINARIES: Readonly<Record<Kernels["build"], URL>> = {
  relaxed: new URL("kernels_relaxed.wasm", import.meta.url),
  plain: new URL("kernels_plain.wasm", import.meta.url),
};

/**
 * The kernels over a memory of at least `KERNEL_BYTES`: the build with relaxed SIMD where the engine
 * compiles it, the plain one elsewhere.
 */
export async function loadKernels(
  memory: WebAssembly.Memory,
  build?: Kernels["build"],
): Promise<Kernels> {
  if (build !== "plain") {
    const bytes = await Deno.readFile(BINARIES.relaxed);
    if (build === "relaxed" || WebAssembly.validate(bytes)) {
      return await instantiate(bytes, memory, "relaxed");
    }
  }
  return await instantiate(await Deno.readFile(BINARIES.plain), memory, "plain");
}

async function instantiate(
  bytes: Uint8Array<ArrayBuffer>,
  memory: WebAssembly.Memory,
  build: Kernels["build"],
): Promise<Kernels> {
  const env = { memory, abort: () => unreachable() };
  const { instance } = await WebAssembly.instantiate(bytes, { env });
  return { build, ...instance.exports } as unknown as Kernels;
}

function unreachable(): never {
  throw new TypeError("Cannot run a kernel: it reached its abort()");
}
