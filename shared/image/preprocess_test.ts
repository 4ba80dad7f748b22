import { assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Image, ImageError } from "./image.ts";
import { decodeRecord, preprocess, type PreprocessSpec } from "./preprocess.ts";
import { recordToTensor, seenRegion, toRecord } from "./preprocess.ts";
import decodeFixture from "./fixtures/decode.json" with { type: "json" };
import fixture from "./fixtures/preprocess.json" with { type: "json" };

const SPEC: PreprocessSpec = { side: 4, crop: 2, channels: 3, mean: [0, 10, 20], std: [1, 2, 4] };

for (const [index, item] of fixture.cases.entries()) {
  const spec = item.spec as PreprocessSpec;
  const name = `case ${index}: ${item.width} x ${item.height} to ${spec.channels} channels`;
  const data = Uint8Array.fromBase64(item.rgb);
  const image: Image = { width: item.width, height: item.height, channels: 3, data };

  Deno.test(`toRecord() equals Pillow's convert, resize and crop, ${name}`, () => {
    assertEquals(toRecord(image, spec), Uint8Array.fromBase64(item.record));
  });

  Deno.test(`recordToTensor() equals NumPy in float32 to the bit, ${name}`, () => {
    const tensor = recordToTensor(Uint8Array.fromBase64(item.record), spec);
    assertEquals(tensor, new Float32Array(Uint8Array.fromBase64(item.tensor).buffer));
  });
}

Deno.test("recordToTensor() takes the crop at the offset, channel by channel", () => {
  const record = Uint8Array.from({ length: 4 * 4 * 3 }, (_, index) => index);
  // Pixel (x, y) holds 3 * (4 * y + x) + channel; the crop begins at (2, 1).
  assertEquals(
    recordToTensor(record, SPEC, { x: 2, y: 1 }),
    new Float32Array([18, 21, 30, 33, 4.5, 6, 10.5, 12, 0, 0.75, 3, 3.75]),
  );
});

Deno.test("recordToTensor() refuses a record of another size and a crop outside", () => {
  assertThrows(() => recordToTensor(new Uint8Array(47), SPEC), RangeError, "47 bytes");
  const record = new Uint8Array(48);
  for (const offset of [{ x: 3, y: 0 }, { x: 0, y: -1 }, { x: 0.5, y: 0 }]) {
    assertThrows(() => recordToTensor(record, SPEC, offset), RangeError, "leaves the record");
  }
});

Deno.test("toRecord() repeats luma for a network that takes RGB", () => {
  const image: Image = { width: 2, height: 2, channels: 1, data: new Uint8Array([1, 2, 3, 4]) };
  assertEquals(
    toRecord(image, { side: 2, channels: 3 }),
    new Uint8Array([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]),
  );
});

Deno.test("preprocess() is decodeRecord() and recordToTensor()", async () => {
  const bytes = Uint8Array.fromBase64(decodeFixture.cases[0]!.file);
  const record = await decodeRecord(bytes, SPEC);
  assertEquals(await preprocess(bytes, SPEC), recordToTensor(record, SPEC));
});

Deno.test("preprocess() hands its limits to the decoder", async () => {
  const bytes = Uint8Array.fromBase64(decodeFixture.cases[0]!.file);
  const error = await assertRejects(() => preprocess(bytes, SPEC, { maxPixels: 9 }), ImageError);
  assertEquals(error.code, "too-large");
});

Deno.test("toRecord() squashes the whole picture into the square where the spec says so", () => {
  const image: Image = { width: 4, height: 2, channels: 1, data: new Uint8Array(8).fill(9) };
  image.data.fill(201, 0, 1);
  const squashed = toRecord(image, { side: 2, channels: 1, resize: "squash" });
  // The corner is outside the central square, so that a crop never sees it.
  assertEquals(toRecord(image, { side: 2, channels: 1 }), new Uint8Array(4).fill(9));
  assertEquals(squashed[0]! > 60, true);
  assertEquals(squashed.length, 4);
});

Deno.test("recordToTensor() reverses the planes for bgr; mean and std are in their order", () => {
  const record = new Uint8Array([10, 20, 30]);
  const spec = { side: 1, crop: 1, channels: 3, mean: [1, 2, 3], std: [1, 1, 1] } as const;
  assertEquals(recordToTensor(record, { ...spec, order: "bgr" }), new Float32Array([29, 18, 7]));
  assertEquals(recordToTensor(record, spec), new Float32Array([9, 18, 27]));
});

Deno.test("seenRegion() is where the crop's pixels come from", () => {
  const near = (actual: object, expected: number[]) =>
    Object.values(actual).forEach((value, i) => assertAlmostEquals(value, expected[i]!, 1e-9));
  const crop = { side: 256, crop: 224 };
  near(seenRegion({ width: 500, height: 500 }, crop), [1 / 16, 1 / 16, 7 / 8, 7 / 8]);
  near(seenRegion({ width: 1000, height: 500 }, crop), [144 / 512, 1 / 16, 224 / 512, 7 / 8]);
  near(seenRegion({ width: 500, height: 1000 }, crop), [1 / 16, 144 / 512, 7 / 8, 224 / 512]);
  const squash = { side: 256, crop: 256, resize: "squash" } as const;
  near(seenRegion({ width: 1000, height: 500 }, squash), [0, 0, 1, 1]);
  // A picture that is white in that region alone is white to the network, and black otherwise.
  const image = (inside: number) => {
    const data = new Uint8Array(64 * 32 * 3).fill(255 - inside);
    const seen = seenRegion({ width: 64, height: 32 }, { side: 32, crop: 16 });
    for (let y = seen.y * 32; y < (seen.y + seen.height) * 32; y++) {
      const start = (y * 64 + seen.x * 64) * 3;
      data.fill(inside, start, start + seen.width * 64 * 3);
    }
    return { width: 64, height: 32, channels: 3, data } as const;
  };
  const spec = { side: 32, crop: 16, channels: 3, mean: [0, 0, 0], std: [1, 1, 1] } as const;
  for (const inside of [255, 0]) {
    const tensor = recordToTensor(toRecord(image(inside), spec), spec);
    assertEquals(tensor.every((value) => value === inside), true);
  }
});
