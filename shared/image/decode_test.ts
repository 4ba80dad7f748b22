import { assertEquals, assertLess, assertRejects } from "@std/assert";
import { deflateSync } from "node:zlib";
import { decodeImage } from "./decode.ts";
import { ImageError } from "./image.ts";
import { concat, gif, jpeg, png, pngChunk, tiff } from "./fixtures/forge.ts";
import fixture from "./fixtures/decode.json" with { type: "json" };

const DATA = new URL("../../../shared/data/images/", import.meta.url);

function hasData(): boolean {
  try {
    return Deno.statSync(DATA).isDirectory;
  } catch {
    return false;
  }
}

function fixtureFile(name: string): Uint8Array {
  return Uint8Array.fromBase64(fixture.cases.find((item) => item.name === name)!.file);
}

async function codeOf(bytes: Uint8Array, options = {}): Promise<string> {
  return (await assertRejects(() => decodeImage(bytes, options), ImageError)).code;
}

for (const { name, file, width, height, rgb } of fixture.cases) {
  Deno.test(`decodeImage() equals Pillow: ${name}`, async () => {
    const image = await decodeImage(Uint8Array.fromBase64(file));
    assertEquals([image.width, image.height, image.channels], [width, height, 3]);
    const expected = Uint8Array.fromBase64(rgb);
    assertEquals(image.data.length, expected.length);
    assertEquals(image.data, expected);
  });
}

Deno.test("decodeImage() reads a JPEG that lacks its end alone, or has bytes too many, as Pillow", async () => {
  const file = fixtureFile("jpeg baseline");
  const whole = await decodeImage(file);
  assertEquals(await decodeImage(file.subarray(0, -2)), whole);
  const end = file.length - 2;
  const padded = concat(file.subarray(0, end), new Uint8Array(3), file.subarray(end));
  assertEquals(await decodeImage(padded), whole);
});

Deno.test("decodeImage() checks the pixel limit before it decodes", async () => {
  assertEquals(await codeOf(jpeg({ width: 20_000, height: 20_000 })), "too-large");
  assertEquals(await codeOf(png({ width: 65_536, height: 65_536 })), "too-large");
  const frame = { x: 0, y: 0, width: 65_535, height: 65_535 };
  assertEquals(await codeOf(gif({ screen: [10, 10], frame })), "too-large");
  for (const name of ["bmp rgb", "webp", "webp lossless", "webp animated", "tiff rgb raw"]) {
    assertEquals(await codeOf(fixtureFile(name), { maxPixels: 559 }), "too-large", name);
  }
  const small = fixtureFile("png rgb");
  assertEquals(await codeOf(small, { maxPixels: 28 * 20 - 1 }), "too-large");
  assertEquals((await decodeImage(small, { maxPixels: 28 * 20 })).width, 28);
});

Deno.test("decodeImage() refuses every file that is cut off, and decodes the next", async () => {
  const files = [
    ...["jpeg baseline", "jpeg progressive", "png rgba", "gif", "bmp rgb", "bmp palette"],
    ...["webp", "webp lossless rgba", "tiff rgb raw", "tiff noise lzw"],
    ...["tiff rgb packbits", "tiff rgb tiff_adobe_deflate"],
  ];
  for (const name of files) {
    const file = fixtureFile(name);
    const whole = await decodeImage(file);
    for (const part of [0.3, 0.6, 0.9]) {
      const cut = file.subarray(0, Math.floor(file.length * part));
      assertEquals(await codeOf(cut), "corrupt", `${name} at ${part}`);
      assertEquals(await decodeImage(file), whole);
    }
  }
});

Deno.test("decodeImage() refuses a second frame header that is larger than the first", async () => {
  const file = fixtureFile("jpeg baseline");
  const scan = file.findIndex((byte, at) => byte === 0xff && file[at + 1] === 0xda);
  const second = new Uint8Array([0xff, 0xc0, 0, 11, 8, 0x4e, 0x20, 0x4e, 0x20, 1, 1, 0x11, 0]);
  const forged = concat(file.subarray(0, scan), second, file.subarray(scan));
  assertEquals(await codeOf(forged), "corrupt");
});

Deno.test("decodeImage() never reads a JPEG with the tables of the one before", async () => {
  const file = fixtureFile("jpeg baseline");
  await decodeImage(file);
  const table = file.findIndex((byte, at) => byte === 0xff && file[at + 1] === 0xdb);
  const length = 2 + (file[table + 2]! << 8) + file[table + 3]!;
  const without = concat(file.subarray(0, table), file.subarray(table + length));
  assertEquals(await codeOf(without), "corrupt");
});

Deno.test("decodeImage() takes a JPEG's components by their names, as libjpeg does", async () => {
  const file = fixtureFile("jpeg baseline");
  const ycc = await decodeImage(file);
  const named = file.slice();
  // JFIF would say YCbCr; a comment says nothing.
  named[3] = 0xfe;
  const frame = named.findIndex((byte, at) => byte === 0xff && named[at + 1] === 0xc0);
  const scan = named.findIndex((byte, at) => byte === 0xff && named[at + 1] === 0xda);
  for (const [index, letter] of [..."RGB"].entries()) {
    named[frame + 10 + 3 * index] = letter.charCodeAt(0);
    named[scan + 5 + 2 * index] = letter.charCodeAt(0);
  }
  const rgb = await decodeImage(named);
  // The planes are now the colours themselves: the first is the luma that YCbCr is made of.
  for (let at = 0; at < rgb.data.length; at += 3) {
    const [red, green, blue] = ycc.data.subarray(at, at + 3);
    const luma = 0.299 * red! + 0.587 * green! + 0.114 * blue!;
    assertLess(Math.abs(rgb.data[at]! - luma), 3);
  }
});

Deno.test("decodeImage() refuses a WebP frame that is larger than its canvas", async () => {
  const forged = fixtureFile("webp animated");
  // VP8X: the canvas is 1 x 1.
  forged.fill(0, 24, 30);
  assertEquals(await codeOf(forged), "corrupt");
});

Deno.test("decodeImage() never inflates a TIFF strip beyond its size", async () => {
  const bomb = deflateSync(new Uint8Array(2 ** 27));
  const before = Deno.memoryUsage().rss;
  assertEquals(
    await codeOf(tiff({ width: 16, height: 16, compression: 8, strip: bomb })),
    "corrupt",
  );
  assertLess(Deno.memoryUsage().rss - before, 100e6);
});

Deno.test("decodeImage() says what a TIFF has that it does not read", async () => {
  for (const compression of [2, 3, 4, 6, 7, 34712]) {
    const file = tiff({ width: 16, height: 16, compression, strip: new Uint8Array(999) });
    assertEquals(await codeOf(file), "unsupported");
  }
});

Deno.test("decodeImage() never inflates chunks that decide no pixel", async () => {
  const file = fixtureFile("png rgb");
  // 64 MiB of zeros as a compressed text.
  const bomb = concat(new TextEncoder().encode("a\0\0"), deflateSync(new Uint8Array(2 ** 26)));
  const header = 8 + 25;
  const forged = concat(file.subarray(0, header), pngChunk("zTXt", bomb), file.subarray(header));
  assertEquals(await decodeImage(forged), await decodeImage(file));
});

Deno.test("decodeImage() asks for the DCT scale that leaves twice minSide and 256", async () => {
  const file = await Deno.readFile(new URL("fixtures/large.jpg", import.meta.url));
  const sizeAt = async (minSide: number) => {
    const { width, height, data } = await decodeImage(file, { minSide });
    assertEquals(data.length, width * height * 3);
    return [width, height];
  };
  assertEquals(await sizeAt(1), [363, 275]);
  assertEquals(await sizeAt(137), [363, 275]);
  assertEquals(await sizeAt(138), [725, 550]);
  assertEquals(await sizeAt(275), [725, 550]);
  assertEquals(await sizeAt(276), [1450, 1100]);
  assertEquals(await sizeAt(5000), [1450, 1100]);
});

Deno.test("decodeImage() answers calls in parallel while some of them fail", async () => {
  const good = fixtureFile("jpeg baseline");
  const bad = good.subarray(0, good.length >> 1);
  const whole = await decodeImage(good);
  const results = await Promise.allSettled(
    Array.from({ length: 40 }, (_, index) => decodeImage(index % 2 ? bad : good)),
  );
  for (const [index, result] of results.entries()) {
    assertEquals(result.status, index % 2 ? "rejected" : "fulfilled");
    if (result.status === "fulfilled") assertEquals(result.value, whole);
  }
});

Deno.test("decodeImage() refuses options that are no positive numbers", async () => {
  const file = fixtureFile("png rgb");
  for (const options of [{ maxPixels: 0 }, { maxPixels: NaN }, { minSide: -1 }]) {
    await assertRejects(() => decodeImage(file, options), RangeError, "expected a positive number");
  }
});

Deno.test({
  name: "decodeImage() stays usable and small after 300 files that trap the decoder",
  ignore: !hasData(),
  fn: async () => {
    const name = "hostile/its-4085c929e00c446d3fee18b5b20a27f9.jpg";
    const trap = await Deno.readFile(new URL(name, DATA));
    const good = fixtureFile("jpeg baseline");
    const whole = await decodeImage(good);
    const before = Deno.memoryUsage().rss;
    for (let round = 0; round < 300; round++) assertEquals(await codeOf(trap), "corrupt");
    assertLess(Deno.memoryUsage().rss - before, 200e6);
    assertEquals(await decodeImage(good), whole);
  },
});
