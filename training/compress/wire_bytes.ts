import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from "node:zlib";
import type { WireBytes } from "../../shared/manifest.ts";

/**
 * Bytes that travel where a server compresses what it sends, at the levels that servers use: the
 * highest ones gain a per cent more on weights and take minutes for AlexNet.
 */
export function wireBytesOf(bytes: Uint8Array): WireBytes {
  return {
    gzip: gzipSync(bytes, { level: 6 }).byteLength,
    zstd: zstdCompressSync(bytes).byteLength,
    brotli: brotliCompressSync(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 5 },
    }).byteLength,
  };
}
