import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import type { Eigen } from "../dataset/eigen.ts";
import { BatchDraws, centreCrop, drawColors, drawCrops } from "./draw.ts";

const RGB = { side: 9, crop: 6, channels: 3, mean: [0, 0, 0], std: [1, 1, 1] } as const;

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

/** Deviations of 40, 10 and 5 along (1, 1, 1), (1, 0, -1) and (1, -2, 1). */
const COMPONENTS: Eigen = {
  values: [1600, 100, 25],
  vectors: [[1, 1, 1], [1, 0, -1], [1, -2, 1]].map((vector) =>
    vector.map((x) => x / Math.hypot(...vector))
  ),
};
const place = { seed: 1, step: 7 };

Deno.test("drawColors() shifts along each component by its share of its deviation", () => {
  const images = 20_000;
  const colors = drawColors(new Float32Array(4 * images), COMPONENTS, 0.1, place);
  const along = COMPONENTS.vectors.map((vector) =>
    Array.from(
      { length: images },
      (_, i) => vector.reduce((sum, x, c) => sum + x * colors[4 * i + c]!, 0),
    )
  );
  const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / images;
  along.forEach((amounts, k) => {
    const deviation = 0.1 * Math.sqrt(COMPONENTS.values[k]!);
    // The mean of 20,000 draws has a deviation of 0.7 % of theirs, their variance one of 1 %.
    assertAlmostEquals(mean(amounts) / deviation, 0, 0.035);
    assertAlmostEquals(mean(amounts.map((x) => (x / deviation) ** 2)), 1, 0.05);
  });
  const [first, second] = along as [number[], number[], number[]];
  const correlation = mean(first.map((x, i) => x * second[i]!)) / (4 * 1);
  assertAlmostEquals(correlation, 0, 0.035);
  for (let i = 3; i < colors.length; i += 4) assertEquals(colors[i], Math.fround(1 / 1.1));
});

Deno.test("drawColors() is a function of seed, step and place in the batch", () => {
  const draws = (count: number, at = place) =>
    drawColors(new Float32Array(4 * count), COMPONENTS, 0.1, at);
  assertEquals(draws(8), draws(64).subarray(0, 32));
  assertNotEquals(draws(8), draws(8, { seed: 1, step: 8 }));
  assertNotEquals(draws(8), draws(8, { seed: 2, step: 7 }));
  const shifts = Array.from({ length: 64 }, (_, i) => draws(64)[4 * i]);
  assertEquals(new Set(shifts).size, 64);
});

Deno.test("drawColors() of grey images shifts their one channel", () => {
  const colors = drawColors(new Float32Array(8), { values: [900], vectors: [[1]] }, 0.1, place);
  assert(colors[0] !== 0 && colors[0] !== colors[4]);
  assertEquals([colors[1], colors[2]], [0, 0]);
});

Deno.test("BatchDraws gives the same draws for a step whatever was drawn before", () => {
  const augmentation = { randomCrop: true, flip: true, colorNoise: 0.1 };
  const open = () => new BatchDraws(16, RGB, augmentation, COMPONENTS);
  const whole = open();
  for (let step = 0; step < 5; step++) {
    assertEquals(whole.at({ seed: 3, step }), open().at({ seed: 3, step }));
  }
  const plain = new BatchDraws(16, RGB, { ...augmentation, colorNoise: 0 });
  const { crops, colors } = plain.at({ seed: 3, step: 4 });
  assertEquals(colors, undefined);
  assertEquals(crops, whole.at({ seed: 3, step: 4 }).crops, "noise changes the crops");
  assertThrows(() => new BatchDraws(16, RGB, augmentation), RangeError, "components");
});
