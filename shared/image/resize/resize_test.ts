import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Image } from "../image.ts";
import { resize } from "./resize.ts";
import fixture from "../fixtures/resize.json" with { type: "json" };

/** The generator of make_fixtures.py; odd seeds are black and white, the hardest for rounding. */
function noise(count: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const value = state >>> 24;
    return seed % 2 ? (value > 127 ? 255 : 0) : value;
  });
}

function noiseImage(width: number, height: number, channels: 1 | 3, seed: number): Image {
  return { width, height, channels, data: noise(width * height * channels, seed) };
}

for (const { seed, source, target, channels, pixels } of fixture.cases) {
  const [fromWidth, fromHeight] = source as [number, number];
  const [width, height] = target as [number, number];
  // Where the width grows and the height shrinks Pillow goes down first.
  const tolerance = width > fromWidth && height < fromHeight ? 1 : 0;
  Deno.test(`resize() equals Pillow within ${tolerance}: ${source} to ${target} x ${channels}`, () => {
    const image = noiseImage(fromWidth, fromHeight, channels as 1 | 3, seed);
    const resized = resize(image, { width, height });
    const expected = Uint8Array.fromBase64(pixels);
    assertEquals([resized.width, resized.height, resized.channels], [width, height, channels]);
    assertEquals(resized.data.length, expected.length);
    const worst = resized.data.reduce(
      (most, value, index) => Math.max(most, Math.abs(value - expected[index]!)),
      0,
    );
    assert(worst <= tolerance, `differs by ${worst}`);
  });
}

Deno.test("resize() with a region equals the crop of the whole", () => {
  for (const channels of [1, 3] as const) {
    const image = noiseImage(90, 70, channels, 4);
    const whole = resize(image, { width: 40, height: 31 });
    const region = { x: 7, y: 3, width: 20, height: 25 };
    const part = resize(image, { width: 40, height: 31, region });
    for (let y = 0; y < region.height; y++) {
      const from = ((y + region.y) * 40 + region.x) * channels;
      assertEquals(
        part.data.subarray(y * 20 * channels, (y + 1) * 20 * channels),
        whole.data.subarray(from, from + 20 * channels),
      );
    }
  }
});

Deno.test("resize() of a thin strip costs the region, not the whole", () => {
  // The whole result would be 256 x 5,120,000 pixels.
  const region = { x: 0, y: 2_500_000, width: 256, height: 256 };
  const strip = resize(noiseImage(1, 20_000, 3, 1), { width: 256, height: 5_120_000, region });
  assertEquals(strip.data.length, 256 * 256 * 3);
});

Deno.test("resize() refuses sizes that are no positive integers and regions outside", () => {
  const image = noiseImage(4, 4, 3, 0);
  for (
    const options of [
      { width: 0, height: 2 },
      { width: 2.5, height: 2 },
      { width: 2, height: NaN },
      { width: 4, height: 4, region: { x: 1, y: 0, width: 4, height: 4 } },
      { width: 4, height: 4, region: { x: -1, y: 0, width: 4, height: 4 } },
    ]
  ) {
    assertThrows(() => resize(image, options), RangeError, "Cannot resize image");
  }
});

Deno.test("resize() to the size that an image has gives its samples", () => {
  const image = {
    width: 3,
    height: 2,
    channels: 3 as const,
    data: Uint8Array.from({ length: 18 }, (_, i) => (i * 37) % 256),
  };
  assertEquals(resize(image, { width: 3, height: 2 }), image);
  // The general way, one row down and one column in, agrees.
  const part = resize(image, { width: 3, height: 2, region: { x: 1, y: 1, width: 2, height: 1 } });
  assertEquals([...part.data], [...image.data.subarray(12, 18)]);
});
