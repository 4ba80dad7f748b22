import { assert, assertEquals } from "@std/assert";
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
import { augment, type AugmentBuffer, meanPixels } from "./augment.ts";
import { augmentReference } from "./augment_reference.ts";
import { centreCrop, cropWord, plainColors } from "./draw.ts";

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

interface Draws {
  crops: Uint32Array<ArrayBuffer>;
  colors?: Float32Array<ArrayBuffer>;
  meanCrop?: Float32Array;
}

async function augmented(spec: PreprocessSpec, batch: number, draws: Draws) {
  const after = await runDispatches<AugmentBuffer>(gpu, [
    augment(spec, batch, { maxWorkgroups: 3 }),
  ], {
    records: records(spec, batch),
    crops: draws.crops,
    colors: draws.colors ?? plainColors(new Float32Array(4 * batch)),
    means: meanPixels(spec, draws.meanCrop),
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
      for (let x = 0; x <= margin; x++) {
        places.push({ x, y, mirror: false }, { x, y, mirror: true });
      }
    }
    const crops = Uint32Array.from(places, cropWord);
    const stored = await augmented(spec, places.length, { crops });
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
    const stored = await augmented(spec, 1, { crops: Uint32Array.of(centreCrop(spec)) });
    const image = fromStorage(stored, imageShape(spec.channels, spec.crop, spec.crop), 1);
    assertEquals(image, recordToTensor(records(spec, 1), spec));
  }
});

for (const spec of [RGB, LUMA]) {
  Deno.test(`augment() subtracts a mean image and shifts colours as its reference does, to the bit: ${spec.channels} channels`, async () => {
    const { side, crop, channels } = spec;
    const random = new Random(3);
    const draws = {
      crops: Uint32Array.of(
        cropWord({ x: 1, y: 0, mirror: true }),
        cropWord({ x: 0, y: 2, mirror: false }),
        centreCrop(spec),
      ),
      colors: Float32Array.from(
        { length: 12 },
        (_, i) => i % 4 === 3 ? 1 / 1.1 : random.normal() * 20,
      ),
      meanCrop: Float32Array.from(
        { length: crop * crop * channels },
        () => random.between(90, 160),
      ),
    };
    const images = await augmented(spec, 3, draws);
    const bytes = side * side * channels, floats = crop * crop * 4;
    for (let i = 0; i < 3; i++) {
      const record = records(spec, 3).subarray(i * bytes, (i + 1) * bytes);
      const draw = { crop: draws.crops[i]!, color: draws.colors.subarray(4 * i, 4 * i + 4) };
      const expected = augmentReference(record, spec, draw, draws.meanCrop);
      // A padding channel may be -0, which is another bit pattern and the same number.
      assertEquals(
        images.subarray(i * floats, (i + 1) * floats).map((x) => x + 0),
        expected.map((x) => x + 0),
      );
    }
  });
}
