import factory from "@jsquash/webp/codec/dec/webp_dec.js";
import { shareInstance } from "../share_instance.ts";

/** libwebp's decoder. */
export interface WebpCodec {
  /** RGBA, or nothing when the file is refused. */
  decode(
    bytes: Uint8Array,
  ): { width: number; height: number; data: Uint8ClampedArray } | null | undefined;
}

type Factory = (options: {
  noInitialRun: true;
  instantiateWasm: (
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance) => void,
  ) => WebAssembly.Exports;
  quit: (status: number) => never;
}) => Promise<WebpCodec>;

let compiled: WebAssembly.Module | undefined;

export const withWebpCodec = shareInstance(instantiate, () => false);

async function instantiate(): Promise<WebpCodec> {
  // The package's own entry fetches its .wasm by a path that only bundlers give it.
  compiled ??= new WebAssembly.Module(
    Deno.readFileSync(new URL(import.meta.resolve("@jsquash/webp/codec/dec/webp_dec.wasm"))),
  );
  const wasm = compiled;
  return await (factory as unknown as Factory)({
    noInitialRun: true,
    instantiateWasm: (imports, done) => {
      const instance = new WebAssembly.Instance(wasm, imports);
      done(instance);
      return instance.exports;
    },
    // Emscripten's own would end the process.
    quit: (status) => {
      throw new Error(`libwebp ended with ${status}`);
    },
  });
}
