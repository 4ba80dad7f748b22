/**
 * libjpeg-turbo by its TurboJPEG interface, compiled to WebAssembly by @cwasm/jpeg-turbo. That
 * package's own function gives RGBA of the whole image; its module can more.
 * @module
 */
// Its own entry reads and compiles as it loads; this makes Deno install the package.
import "@cwasm/jpeg-turbo/package.json" with { type: "json" };
import { ImageError } from "../image.ts";
import { shareInstance } from "../share_instance.ts";

export interface DecodeTask {
  readonly bytes: Uint8Array;
  /** Size that the header gives. */
  readonly header: { readonly width: number; readonly height: number };
  /** Size to decode to: that of the header in eighths, rounded up. */
  readonly width: number;
  readonly height: number;
  /** Whether a warning of libjpeg is an error. */
  readonly strict: boolean;
}

export interface Decoded {
  /** 1 is luma, 3 RGB, 4 CMYK as it is stored. */
  readonly channels: 1 | 3 | 4;
  /** [height, width, channels] */
  readonly data: Uint8Array;
}

interface Exports {
  readonly memory: WebAssembly.Memory;
  malloc(bytes: number): number;
  free(address: number): void;
  tjInitDecompress(): number;
  tjDestroy(handle: number): void;
  /** Writes width, height, subsampling and colour space; 0, or -1 for what it has no name for. */
  tjDecompressHeader3(
    ...[handle, source, length, width, height, subsampling, space]: number[]
  ): number;
  /** 0, or -1 after a warning. Errors end in `longjmp`. */
  tjDecompress2(
    ...[handle, source, length, target, width, pitch, height, format, flags]: number[]
  ): number;
}

/** By TJCS, the colour space in the file: channels and TJPF, the format to decode to. */
const FORMATS: readonly { channels: Decoded["channels"]; format: number }[] = [
  { channels: 3, format: 0 }, // RGB
  { channels: 3, format: 0 }, // YCbCr
  { channels: 1, format: 6 }, // gray
  { channels: 4, format: 11 }, // CMYK
  { channels: 4, format: 11 }, // YCCK
];
const STOP_ON_WARNING = 8192;

class TurboJpeg {
  readonly #wasm = instantiate();
  readonly #fields = this.#wasm.malloc(16);

  /** After any error but ImageError the instance is of no use. */
  decode({ bytes, header, width, height, strict }: DecodeTask): Decoded {
    const wasm = this.#wasm;
    const source = this.#allocate(bytes.length);
    // One for each image: libjpeg keeps tables, which a file that lacks its own would be read with.
    const handle = wasm.tjInitDecompress();
    let target = 0;
    try {
      new Uint8Array(wasm.memory.buffer, source, bytes.length).set(bytes);
      const file = [handle, source, bytes.length];
      const { channels, format } = this.#readFormat(file, header);
      const length = width * height * channels;
      target = this.#allocate(length);
      const flags = strict ? STOP_ON_WARNING : 0;
      const outcome = wasm.tjDecompress2(...file, target, width, 0, height, format, flags);
      // A warning would have ended in an exception: nothing was decoded.
      if (outcome !== 0 && strict) {
        throw new ImageError("corrupt", "Cannot decode image: libjpeg-turbo refuses the JPEG");
      }
      return { channels, data: new Uint8Array(wasm.memory.buffer, target, length).slice() };
    } finally {
      wasm.tjDestroy(handle);
      wasm.free(target);
      wasm.free(source);
    }
  }

  #allocate(bytes: number): number {
    const address = this.#wasm.malloc(bytes);
    if (address === 0) throw new Error(`no memory for ${bytes} bytes`);
    return address;
  }

  /** The pixels are written to where `header` says that there is room. */
  #readFormat(file: readonly number[], header: DecodeTask["header"]) {
    const at = this.#fields;
    const wasm = this.#wasm;
    const fields = [at, at + 4, at + 8, at + 12];
    new Int32Array(wasm.memory.buffer, at, 4).fill(-1);
    wasm.tjDecompressHeader3(...file, ...fields);
    const [width, height, , space] = new Int32Array(wasm.memory.buffer, at, 4);
    if (width !== header.width || height !== header.height) {
      throw new Error(
        `the file is of ${width} x ${height} pixels (expected ${header.width} x ${header.height})`,
      );
    }
    const format = FORMATS[space!];
    if (format !== undefined) return format;
    throw new ImageError("unsupported", "Cannot decode image: a JPEG of unknown colours");
  }
}

let compiled: WebAssembly.Module | undefined;

export const withTurboJpeg = shareInstance(
  () => new TurboJpeg(),
  (error) => error instanceof ImageError,
);

function instantiate(): Exports {
  compiled ??= new WebAssembly.Module(
    Deno.readFileSync(new URL(import.meta.resolve("@cwasm/jpeg-turbo/jpeg-turbo.wasm"))),
  );
  const refuse = (call: string) => () => {
    throw new Error(`libjpeg-turbo called ${call}`);
  };
  const system = ["environ_get", "proc_exit", "fd_close", "fd_seek", "fd_write"];
  const instance = new WebAssembly.Instance(compiled, {
    // libjpeg jumps out of errors: an exception leaves the module, and its memory as it is.
    env: { setjmp: () => 0, longjmp: refuse("longjmp") },
    wasi_snapshot_preview1: {
      environ_sizes_get: () => 0,
      ...Object.fromEntries(system.map((name) => [name, refuse(name)])),
    },
  });
  return instance.exports as unknown as Exports;
}
