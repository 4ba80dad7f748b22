import gifModule from "imagescript/wasm/node/gif.js";
import jpegModule from "imagescript/wasm/node/jpeg.js";

// ImageScript's main module asks for --allow-ffi at import; these are its pure WebAssembly parts.
// They read their .wasm file and the variable IMAGESCRIPT_WASM_SIMD on first use.

/** Layout of a JPEG framebuffer. */
export const JpegPixels = { luma: 0, rgb: 1, cmyk: 2 } as const;

export interface JpegCodec {
  /**
   * Decodes at the smallest of 1/8, 1/4, 1/2 and 1 whose size reaches the wanted one. `format` is
   * one of JpegPixels; CMYK counts ink (0 is none) whatever the file's Adobe marker says.
   */
  decode(
    bytes: Uint8Array,
    wantedWidth: number,
    wantedHeight: number,
  ): { width: number; height: number; format: number; buffer: Uint8Array };
}

export interface GifFrame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** RGBA of the frame alone, deinterlaced. */
  readonly buffer: Uint8Array;
}

export interface GifCodec {
  Decoder: new (bytes: Uint8Array) => { frame(): GifFrame | null; free(): void };
}

interface CodecModule<Codec> {
  /** Compiles the WebAssembly module once; needed before `new`. */
  init(): Promise<Codec>;
  // A property: `new()` would declare a constructor.
  readonly new: () => Codec;
}

/**
 * Shares one instance of a codec among all calls. WebAssembly memory never shrinks, so the process
 * keeps the memory of the largest image it decoded, about 10 bytes a pixel at most. A new instance
 * for each large image would need more: garbage collection hardly sees that memory, and 25 images of
 * 48 megapixels reached 1.2 GB that way (Deno 2.9.6, 2026-11).
 */
function shareCodec<Codec>(module: CodecModule<Codec>) {
  let ready: Promise<unknown> | undefined;
  let shared: Codec | undefined;
  return async function withCodec<Result>(use: (codec: Codec) => Result): Promise<Result> {
    await (ready ??= module.init());
    // No await before `use` is done: no other call may meet an instance that has trapped.
    const codec = shared ??= module.new();
    try {
      return use(codec);
    } catch (error) {
      // A codec that refuses a file throws a plain Error and has cleaned up. A trap leaves its memory
      // in no known state, so the instance is given up; the pause lets its memory be freed, without
      // which 1,000 traps in a row held 2.9 GB.
      if (error instanceof Error && error.name !== "Error") {
        shared = undefined;
        await new Promise((resolve) => setTimeout(resolve));
      }
      throw error;
    }
  };
}

export const withJpegCodec = shareCodec<JpegCodec>(jpegModule);
export const withGifCodec = shareCodec<GifCodec>(gifModule);
