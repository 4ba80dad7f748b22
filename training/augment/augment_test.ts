import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  centreOffset,
  type PreprocessSpec,
  recordToTensor,
} from "../../shared/image/preprocess.ts";
import { openGpu } from "../gpu/device.ts";
import { runDispatches } from "../gpu/run_dispatches.ts";
import { fromStorage } from "../ops/layout.ts";
import { imageShape } from "../ops/op.ts";
import { Random } from "../random.ts";
import { augment, type AugmentBuffer, centreCrop, drawCrops } from "./augment.ts";

const gpu = await openGpu();

const RGB: PreprocessSpec = {
  side: 9,
  crop: 6,
  channels: 3,
  mean: [123.675, 116.28, 103.53],
  std: [58.395, 57.12, 57.375],
};
const LUMA: PreprocessSpec = { side: 7, crop: 5, channels: 1, mean: [33.318], std: [78.567] };

function records(spec: PreprocessSpec, batch: number): Uint8Array<ArrayBuffer> {
  const random = new Random(1);
  return Uint8Array.from(
    { length: batch * spec.side * spec.side * spec.channels },
    () => random.below(256),
  );
}

function mirrored(planes: Float32Array, side: number): Float32Array {
  return planes.map((_, i) => planes[i - i % side + side - 1 - i % side]!);
}

async function augmented(spec: PreprocessSpec, batch: number, crops: Uint32Array<ArrayBuffer>) {
  const after = await runDispatches<AugmentBuffer>(gpu, [augment(spec, batch, 3)], {
    records: records(spec, batch),
    crops,
    images: new Float32Array(batch * spec.crop * spec.crop * 4).fill(1e30),
  });
  return after.images;
}

for (const spec of [RGB, LUMA, { ...RGB, crop: 9 }]) {
  const { channels, side, crop } = spec;
  Deno.test(`augment() equals recordToTensor() to the bit: ${channels} x ${crop} of ${side}`, async () => {
    const margin = side - crop;
    const places = [];
    for (let y = 0; y <= margin; y++) {
      for (let x = 0; x <= margin; x++) places.push({ x, y, mirror: 0 }, { x, y, mirror: 1 });
    }
    const crops = Uint32Array.from(places, ({ x, y, mirror }) => x | y << 12 | mirror << 24);
    const stored = await augmented(spec, places.length, crops);
    const images = fromStorage(stored, imageShape(channels, crop, crop), places.length);
    const bytes = side * side * channels, floats = crop * crop * channels;
    places.forEach(({ x, y, mirror }, i) => {
      const record = records(spec, places.length).subarray(i * bytes, (i + 1) * bytes);
      const plain = recordToTensor(record, spec, { x, y });
      const expected = mirror ? mirrored(plain, crop) : plain;
      assertEquals(images.subarray(i * floats, (i + 1) * floats), expected);
    });
    const padding = stored.filter((_, i) => i % 4 >= channels);
    assert(padding.every((value) => value === 0), "padding channels are not zero");
  });
}

Deno.test("centreCrop() is the service's crop", async () => {
  for (const spec of [RGB, LUMA]) {
    const { x, y } = centreOffset(spec);
    assertEquals(centreCrop(spec), x | y << 12);
    const stored = await augmented(spec, 1, Uint32Array.of(centreCrop(spec)));
    const image = fromStorage(stored, imageShape(spec.channels, spec.crop, spec.crop), 1);
    assertEquals(image, recordToTensor(records(spec, 1), spec));
  }
});

const draw = (count: number, randomCrop: boolean, flip: boolean, place = { seed: 1, step: 0 }) =>
  drawCrops(new Uint32Array(count), RGB, { randomCrop, flip }, place);

Deno.test("drawCrops() draws every place and mirror about equally often", () => {
  const counts = new Map<number, number>();
  for (const word of draw(32_000, true, true)) counts.set(word, (counts.get(word) ?? 0) + 1);
  // 4 x 4 places, each mirrored or not: 1,000 times each, deviation 31.
  assertEquals(counts.size, 32);
  for (const [word, count] of counts) {
    assert((word & 0xfff) <= 3 && (word >> 12 & 0xfff) <= 3 && word >> 24 <= 1);
    assert(Math.abs(count - 1000) < 160, `${word.toString(16)} came ${count} times`);
  }
});

Deno.test("drawCrops() is a function of seed and step", () => {
  assertEquals(draw(64, true, true), draw(64, true, true));
  assertNotEquals(draw(64, true, true), draw(64, true, true, { seed: 1, step: 1 }));
  assertNotEquals(draw(64, true, true), draw(64, true, true, { seed: 2, step: 0 }));
});

Deno.test("drawCrops() without augmentation takes the centre", () => {
  assertEquals(draw(8, false, false), new Uint32Array(8).fill(centreCrop(RGB)));
  const flips = draw(8, false, true).map((word) => word & 0xffffff);
  assertEquals(flips, new Uint32Array(8).fill(centreCrop(RGB)));
});
