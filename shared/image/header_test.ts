import { assertEquals, assertThrows } from "@std/assert";
import { readImageHeader } from "./header.ts";
import { ImageError } from "./image.ts";
import { gif, jpeg, png } from "./fixtures/forge.ts";
import decodeFixture from "./fixtures/decode.json" with { type: "json" };

function codeOf(bytes: Uint8Array): string {
  return assertThrows(() => readImageHeader(bytes), ImageError).code;
}

for (const { name, file, width, height } of decodeFixture.cases) {
  Deno.test(`readImageHeader() reads ${name}`, () => {
    const header = readImageHeader(Uint8Array.fromBase64(file));
    assertEquals(header.format, name.split(" ")[0]);
    assertEquals(header.orientation, Number(/orientation (\d)/.exec(name)?.[1] ?? 1));
    const stored = header.orientation >= 5 ? [height, width] : [width, height];
    assertEquals([header.width, header.height], stored);
  });
}

Deno.test("readImageHeader() reads sizes without looking at pixels", () => {
  assertEquals(readImageHeader(png({ width: 65_536, height: 70_000 })).height, 70_000);
  assertEquals(readImageHeader(jpeg({ width: 20_000, height: 20_000 })).width, 20_000);
  const hidden = gif({ screen: [10, 10], frame: { x: 5, y: 0, width: 60_000, height: 50_000 } });
  assertEquals(readImageHeader(hidden).width, 60_005);
});

Deno.test("readImageHeader() names formats that are known but not decoded", () => {
  const heads = {
    AVIF: "\x00\x00\x00\x1cftypavif",
    HEIC: "\x00\x00\x00\x1cftypheic",
  };
  for (const [name, head] of Object.entries(heads)) {
    const bytes = Uint8Array.from(head, (character) => character.charCodeAt(0));
    assertThrows(() => readImageHeader(bytes), ImageError, `${name} is not supported`);
    assertEquals(codeOf(bytes), "unsupported");
  }
  assertEquals(codeOf(new TextEncoder().encode("<svg></svg>")), "unsupported");
});

Deno.test("readImageHeader() refuses what is corrupt", () => {
  assertEquals(codeOf(new Uint8Array()), "corrupt");
  assertEquals(codeOf(png({ width: 0, height: 5 })), "corrupt");
  assertEquals(codeOf(png({ width: 5, height: 5 }).subarray(0, 20)), "corrupt");
  assertEquals(codeOf(jpeg({ width: 0, height: 5 })), "corrupt");
  assertEquals(codeOf(jpeg({ width: 5, height: 5, scans: 0 })), "corrupt");
  assertEquals(codeOf(jpeg({ width: 5, height: 5, scans: 101 })), "corrupt");
  assertEquals(
    codeOf(gif({ screen: [4, 4], frame: { x: 0, y: 0, width: 0, height: 4 } })),
    "corrupt",
  );
  for (const head of ["GIF89a", "BM", "RIFF\0\0\0\0WEBPVP8 ", "II*\0\x08\0\0\0"]) {
    assertEquals(codeOf(new TextEncoder().encode(head)), "corrupt");
  }
});

Deno.test("readImageHeader() refuses JPEG varieties that are not decoded", () => {
  for (const frame of [0xc3, 0xc5, 0xc9]) {
    assertEquals(codeOf(jpeg({ width: 5, height: 5, frame })), "unsupported");
  }
  assertEquals(codeOf(jpeg({ width: 5, height: 5, precision: 12 })), "unsupported");
  assertEquals(codeOf(jpeg({ width: 5, height: 0 })), "unsupported");
});
