/// <reference lib="deno.worker" />
import { decodeImage } from "../../../shared/image/decode.ts";
import { ImageError } from "../../../shared/image/image.ts";

const MAX_PIXELS = 4_000_000;

/** "decoded", the code of our own error, or the text of any other: a fault. */
async function outcomeOf(bytes: Uint8Array): Promise<string> {
  try {
    const { width, height, data } = await decodeImage(bytes, {
      maxPixels: MAX_PIXELS,
      minSide: 64,
    });
    return data.length === width * height * 3 ? "decoded" : `fault: ${data.length} bytes of pixels`;
  } catch (error) {
    return error instanceof ImageError ? error.code : `fault: ${(error as Error).stack ?? error}`;
  }
}

self.onmessage = async ({ data }: MessageEvent<Uint8Array>) => {
  self.postMessage(await outcomeOf(data));
};
