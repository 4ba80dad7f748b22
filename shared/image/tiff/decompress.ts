import { inflateSync } from "node:zlib";
import { tiffCorrupt, tiffUnsupported } from "./directory.ts";

const CLEAR = 256;
const END = 257;
const MOST_CODES = 4096;

/**
 * Unpacks one strip or tile to exactly `length` bytes, and never allocates more whatever the data
 * say. Fax and JPEG compression are refused: the first holds no photographs, the second is a file
 * format of its own with its own bombs.
 *
 * @throws {ImageError} `corrupt` when the data end early, `unsupported` for other compressions.
 */
export function decompress(packed: Uint8Array, compression: number, length: number): Uint8Array {
  switch (compression) {
    case 1:
      if (packed.length < length) throw tiffCorrupt("its pixels are cut off");
      return packed.slice(0, length);
    case 5:
      return unpackLzw(packed, length);
    case 8:
    case 32946:
      return inflate(packed, length);
    case 32773:
      return unpackBits(packed, length);
    default:
      throw tiffUnsupported(`compression ${compression}`);
  }
}

function inflate(packed: Uint8Array, length: number): Uint8Array {
  try {
    const bytes = inflateSync(packed, { maxOutputLength: length });
    if (bytes.length === length) return new Uint8Array(bytes.buffer, bytes.byteOffset, length);
  } catch {
    // Too long or damaged: the same to whoever sent it.
  }
  throw tiffCorrupt("its deflated pixels are damaged");
}

/** TIFF 6.0, section 9. */
function unpackBits(packed: Uint8Array, length: number): Uint8Array {
  const result = new Uint8Array(length);
  let at = 0;
  let target = 0;
  while (target < length) {
    const head = packed[at++];
    if (head === undefined) throw tiffCorrupt("its run lengths end early");
    if (head < 128) {
      const literal = packed.subarray(at, at + Math.min(head + 1, length - target));
      result.set(literal, target);
      at += head + 1;
      target += head + 1;
      if (at > packed.length) throw tiffCorrupt("its run lengths end early");
    } else if (head > 128) {
      const value = packed[at++];
      if (value === undefined) throw tiffCorrupt("its run lengths end early");
      result.fill(value, target, target + 257 - head);
      target += 257 - head;
    }
  }
  return result;
}

/** TIFF 6.0, section 13: codes of 9 to 12 bits, most significant bit first, widened one code early. */
function unpackLzw(packed: Uint8Array, length: number): Uint8Array {
  const result = new Uint8Array(length);
  // A string is a place in the result: the string before it and one byte more.
  const starts = new Uint32Array(MOST_CODES);
  const lengths = new Uint32Array(MOST_CODES);
  let next = END + 1;
  let width = 9;
  let previous = -1;
  let target = 0;
  let bits = 0;
  let available = 0;
  let at = 0;
  while (target < length) {
    while (available < width) {
      const byte = packed[at++];
      if (byte === undefined) throw tiffCorrupt("its LZW codes end early");
      bits = (bits << 8 | byte) & 0xffffff;
      available += 8;
    }
    const code = (bits >> (available -= width)) & ((1 << width) - 1);
    if (code === END) throw tiffCorrupt("its LZW codes end early");
    if (code === CLEAR) {
      next = END + 1;
      width = 9;
      previous = -1;
      continue;
    }
    const start = target;
    if (code < CLEAR) {
      result[target++] = code;
    } else {
      if (previous < 0 || code > next || code >= MOST_CODES) throw tiffCorrupt("an LZW code");
      // The code that is only now being made is the previous string and its own first byte.
      const from = code === next ? previous : starts[code]!;
      const count = code === next ? start - previous + 1 : lengths[code]!;
      const end = Math.min(start + count, length);
      for (let source = from; target < end; source++) result[target++] = result[source]!;
    }
    if (previous >= 0 && next < MOST_CODES) {
      starts[next] = previous;
      lengths[next] = start - previous + 1;
      next++;
    }
    if (next + 1 >= 1 << width && width < 12) width++;
    previous = start;
  }
  return result;
}
