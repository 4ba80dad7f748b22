import gifModule from "imagescript/wasm/node/gif.js";
import { type Image, ImageError, type ImageHeader } from "./image.ts";
import { frameOnWhite } from "./pixels.ts";
import { shareInstance } from "./share_instance.ts";

// ImageScript's main module asks for --allow-ffi at import; this is a pure WebAssembly part of it. It
// reads its .wasm file and the variable IMAGESCRIPT_WASM_SIMD on first use.

interface GifFrame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** RGBA of the frame alone, deinterlaced. */
  readonly buffer: Uint8Array;
}

interface GifCodec {
  Decoder: new (bytes: Uint8Array) => { frame(): GifFrame | null; free(): void };
}

// The codec refuses a file with a plain Error, and has cleaned up.
const withGifCodec = shareInstance<GifCodec>(
  () => gifModule.init(),
  (error) => error instanceof Error && error.name === "Error",
);

/** The first frame on the GIF's canvas, to RGB on white. */
export async function decodeGif(bytes: Uint8Array, header: ImageHeader): Promise<Image> {
  const frame = await withGifCodec((codec) => {
    const decoder = new codec.Decoder(bytes);
    const first = decoder.frame();
    decoder.free();
    return first;
  });
  if (frame === null) throw new ImageError("corrupt", "Cannot decode image: the GIF has no frame");
  const { width, height } = header;
  const data = frameOnWhite(frame, width, height);
  if (data.length === width * height * 3) return { width, height, channels: 3, data };
  throw new ImageError("corrupt", "Cannot decode image: the decoder returned too few pixels");
}
