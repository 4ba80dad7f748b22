import { assertEquals, assertThrows } from "@std/assert";
import { deflateSync } from "node:zlib";
import { concat, pngChunk } from "../fixtures/forge.ts";
import { ImageError } from "../image.ts";
import { decodePng } from "./png.ts";
import { readPngHeader } from "./png_header.ts";

const SIGNATURE = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

interface Made {
  width: number;
  height: number;
  /** Colour type and depth; RGB of 8 bits when left out. */
  kind?: [number, number];
  interlace?: number;
  /** Inflated data, filters included. */
  rows: Uint8Array;
  /** Of deflate; 0 stores. */
  level?: number;
  chunks?: Uint8Array[];
}

function made({ width, height, kind = [2, 8], interlace = 0, rows, level, chunks = [] }: Made) {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([kind[1], kind[0], 0, 0, interlace], 8);
  const data = deflateSync(rows, level === undefined ? {} : { level });
  // Two IDAT, for a decoder must join them.
  const parts = [data.subarray(0, 7), data.subarray(7)].map((part) => pngChunk("IDAT", part));
  const end = pngChunk("IEND", new Uint8Array());
  return concat(SIGNATURE, pngChunk("IHDR", header), ...chunks, ...parts, end);
}

const decode = (bytes: Uint8Array) => decodePng(bytes, readPngHeader(bytes));

function noise(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => (state = (state * 1103515245 + 12345) >>> 0) >>> 16);
}

/** Rows of `stride` bytes behind filter 0. */
function unfiltered(samples: Uint8Array, stride: number): Uint8Array {
  const rows = [];
  for (let at = 0; at < samples.length; at += stride) {
    rows.push(new Uint8Array([0]), samples.subarray(at, at + stride));
  }
  return concat(...rows);
}

/** PNG, third edition, section 9.2, forwards: what an encoder writes. */
function filtered(
  samples: Uint8Array,
  stride: number,
  step: number,
  filterOf: (y: number) => number,
) {
  const at = (y: number, i: number) => y < 0 || i < 0 ? 0 : samples[y * stride + i]!;
  const height = samples.length / stride;
  const out = new Uint8Array(height * (1 + stride));
  for (let y = 0; y < height; y++) {
    const filter = filterOf(y);
    out[y * (1 + stride)] = filter;
    for (let i = 0; i < stride; i++) {
      const [a, b, c] = [at(y, i - step), at(y - 1, i), at(y - 1, i - step)];
      const p = a + b - c;
      const nearest = [a, b, c].reduce((best, n) =>
        Math.abs(p - n) < Math.abs(p - best) ? n : best
      );
      const predicted = [0, a, b, Math.floor((a + b) / 2), nearest][filter]!;
      out[y * (1 + stride) + 1 + i] = at(y, i) - predicted;
    }
  }
  return out;
}

Deno.test("decodePng() reads stored deflate blocks, also more than one", () => {
  const samples = noise(200 * 150 * 3);
  const rows = unfiltered(samples, 600);
  assertEquals(decode(made({ width: 200, height: 150, rows, level: 0 })).data, samples);
});

for (const filter of [0, 1, 2, 3, 4]) {
  Deno.test(`decodePng() undoes filter ${filter} on the first row and on later ones`, () => {
    const samples = noise(37 * 11 * 3);
    const rows = filtered(samples, 37 * 3, 3, (y) => y === 0 || y > 3 ? filter : y % 5);
    assertEquals(decode(made({ width: 37, height: 11, rows })).data, samples);
  });
}

Deno.test("decodePng() composites alpha and the transparent colour on white, 8 and 16 bits", () => {
  const one = (kind: [number, number], sample: number[], ...chunks: Uint8Array[]) => [
    ...decode(made({ width: 1, height: 1, kind, rows: new Uint8Array([0, ...sample]), chunks }))
      .data,
  ];
  const clear = (...bytes: number[]) => pngChunk("tRNS", new Uint8Array(bytes));
  assertEquals(one([6, 8], [100, 0, 255, 51]), [224, 204, 255]);
  assertEquals(one([6, 16], [100, 9, 0, 9, 255, 9, 51, 9]), [224, 204, 255]);
  assertEquals(one([4, 8], [100, 51]), [224, 224, 224]);
  assertEquals(one([4, 16], [100, 9, 0, 9]), [255, 255, 255]);
  assertEquals(one([2, 8], [1, 2, 3], clear(0, 1, 0, 2, 0, 3)), [255, 255, 255]);
  assertEquals(one([2, 8], [1, 2, 4], clear(0, 1, 0, 2, 0, 3)), [1, 2, 4]);
  assertEquals(one([0, 16], [7, 9], clear(7, 9)), [255, 255, 255]);
  assertEquals(one([0, 16], [7, 8], clear(7, 9)), [7, 7, 7]);
  assertEquals(one([0, 2], [0b10_000000], clear(0, 1)), [170, 170, 170]);
  assertEquals(one([0, 2], [0b01_000000], clear(0, 1)), [255, 255, 255]);
  const palette = pngChunk("PLTE", new Uint8Array([10, 20, 30, 40, 50, 60]));
  assertEquals(one([3, 4], [0x10], palette, clear(0, 255)), [40, 50, 60]);
  assertEquals(one([3, 4], [0x00], palette, clear(0, 255)), [255, 255, 255]);
  assertEquals(one([3, 4], [0xf0], palette), [0, 0, 0]);
});

Deno.test("decodePng() never inflates more than the pixels, and refuses what ends early", () => {
  const bomb = made({ width: 4, height: 4, rows: new Uint8Array(2 ** 26) });
  const before = Deno.memoryUsage().rss;
  assertThrows(() => decode(bomb), ImageError, "deflated pixels");
  assertThrows(() => decode(made({ width: 4, height: 4, rows: new Uint8Array(51) })), ImageError);
  assertEquals(Deno.memoryUsage().rss - before < 20e6, true);
});

Deno.test("decodePng() refuses what the specification does not have", () => {
  const rows = new Uint8Array([0, 1, 2, 3]);
  const size = { width: 1, height: 1 };
  const refused = (bytes: Uint8Array, reason: string) =>
    assertEquals(assertThrows(() => decode(bytes), ImageError, reason).code, "corrupt");
  refused(made({ ...size, rows, kind: [2, 4] }), "colour type 2 with 4 bits");
  refused(made({ ...size, rows, kind: [1, 8] }), "colour type 1");
  refused(made({ ...size, rows, interlace: 2 }), "interlace 2");
  refused(made({ ...size, rows: new Uint8Array([5, 1, 2, 3]) }), "filter 5");
  refused(made({ ...size, rows: new Uint8Array([0, 1]), kind: [3, 8] }), "palette is missing");
  const damaged = made({ ...size, rows });
  damaged[8 + 25 + 10]! ^= 1;
  refused(damaged, "checksum of IDAT");
  refused(made({ ...size, rows }).subarray(0, 8 + 25 + 10), "cut off in its IDAT");
});

/** The pass of each pixel of 8 x 8 (PNG, third edition, section 8.2). */
const ADAM7 = ["16462646", "77777777", "56565656", "77777777"]
  .concat(["36463646", "77777777", "56565656", "77777777"]);

/** Grey samples as an interlaced file has them, `depth` bits each. */
function interlaced(samples: Uint8Array, width: number, height: number, depth: number) {
  const rows: number[] = [];
  for (const pass of "1234567") {
    for (let y = 0; y < height; y++) {
      let bits = "";
      for (let x = 0; x < width; x++) {
        if (ADAM7[y % 8]![x % 8] !== pass) continue;
        bits += samples[y * width + x]!.toString(2).padStart(depth, "0");
      }
      const bytes = bits.match(/.{1,8}/g) ?? [];
      if (bits) rows.push(0, ...bytes.map((byte) => parseInt(byte.padEnd(8, "0"), 2)));
    }
  }
  return Uint8Array.from(rows);
}

Deno.test("decodePng() puts Adam7's passes together, at every small size and depth", () => {
  for (const depth of [1, 2, 4, 8]) {
    const most = 2 ** depth - 1;
    for (let width = 1; width <= 10; width++) {
      for (let height = 1; height <= 10; height++) {
        const samples = noise(width * height).map((value) => value & most);
        const rows = interlaced(samples, width, height, depth);
        const { data } = decode(made({ width, height, kind: [0, depth], interlace: 1, rows }));
        const expected = [...samples].flatMap((value) => Array(3).fill(value * 255 / most));
        assertEquals([...data], expected, `${width} x ${height}, ${depth} bits`);
      }
    }
  }
});
