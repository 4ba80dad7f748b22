/** What the WebAssembly module exports: see the file of each name in this folder. */
export const KERNELS = [
  "productF32",
  "productI8",
  "productI8F32",
  "productF16",
  "productI4",
  "blockSums",
  "packF32",
  "packI8",
  "packRowsF32",
  "packRowsI8",
  "packColumnsF32",
  "packColumnsI8",
  "packColumnsI4",
  "packColumnsF16",
  "widenF16",
  "recodeF16",
  "widenI8",
  "scalePanels",
  "poolF32",
  "unaryF32",
  "binaryF32",
  "quantizeI7",
  "softmaxF32",
  "lrnF32",
  "pixelsF32",
  "pixelsI7",
  "planesF32",
  "fill",
] as const;
export type KernelName = typeof KERNELS[number];

/** The kernels' own parameters: addresses, sizes and strides are bytes where the name says so. */
export type Kernels = Readonly<Record<KernelName, (...parameters: number[]) => void>>;

/** With relaxed SIMD, or without. */
export type Build = "relaxed" | "plain";

/** Bytes of memory that belong to the kernels themselves: tables of exp and pow. */
export const KERNEL_BYTES = 65_536;

// Literal addresses: the service's bundle finds its files by them.
const BINARIES: Readonly<Record<Build, URL>> = {
  relaxed: new URL("kernels_relaxed.wasm", import.meta.url),
  plain: new URL("kernels_plain.wasm", import.meta.url),
};

/**
 * The kernels: the build with relaxed SIMD where the engine compiles it, the plain one elsewhere.
 *
 * @param shared whether they are for a memory that threads share
 */
export async function compileKernels(shared: boolean, build?: Build): Promise<WebAssembly.Module> {
  if (build !== "plain") {
    const bytes = await readKernels("relaxed", shared);
    if (build === "relaxed" || WebAssembly.validate(bytes)) return await WebAssembly.compile(bytes);
  }
  return await WebAssembly.compile(await readKernels("plain", shared));
}

/** The kernels over a memory of at least `KERNEL_BYTES`. */
export function instantiateKernels(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): Kernels {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return exports as unknown as Kernels;
}

async function readKernels(build: Build, shared: boolean): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await Deno.readFile(BINARIES[build]);
  return shared ? overSharedMemory(bytes) : bytes;
}

/** A binary says of the memory that it imports whether threads share it, by one bit of its limits. */
const MEMORY_IMPORT = "\x03env\x06memory\x02";
const SHARED = 2;

function overSharedMemory(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const at = new TextDecoder("latin1").decode(bytes).indexOf(MEMORY_IMPORT);
  const shared = bytes.slice();
  shared[at + MEMORY_IMPORT.length]! |= SHARED;
  return shared;
}
