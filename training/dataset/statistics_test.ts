import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../random.ts";
import { memorySplit } from "./dataset.ts";
import { statisticsOf, StatisticsSums } from "./statistics.ts";

const split = (records: number[], count: number) =>
  memorySplit(Uint8Array.from(records), new Uint32Array(count));

Deno.test("statisticsOf() equals the definitions, channel by channel", () => {
  const { mean, std, meanImage, covariance } = statisticsOf(
    split([0, 10, 255, 4, 20, 255], 2),
    3,
  );
  assertEquals(mean, [2, 15, 255]);
  assertEquals(std, [2, 5, 0]);
  assertEquals([...meanImage], [2, 15, 255]);
  assertEquals(covariance, [[4, 10, 0], [10, 25, 0], [0, 0, 0]]);
});

/** Noise about a colour that wanders along (1, 2, -1). */
function colours(count: number): number[] {
  const random = new Random(7);
  return Array.from({ length: count }, () => {
    const shift = random.between(-25, 25);
    return [1, 2, -1].map((step) => Math.round(120 + step * shift + random.between(-4, 4)));
  }).flat();
}

Deno.test("statisticsOf() agrees with two passes in float64", () => {
  const bytes = colours(3000);
  const { mean, std, covariance, meanImage } = statisticsOf(split(bytes, 30), 3);
  const planes = [0, 1, 2].map((channel) => bytes.filter((_, i) => i % 3 === channel));
  const average = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
  const means = planes.map(average);
  planes.forEach((x, i) => {
    assertAlmostEquals(mean[i]!, means[i]!, 1e-9);
    planes.forEach((y, j) => {
      const products = x.map((value, k) => (value - means[i]!) * (y[k]! - means[j]!));
      assertAlmostEquals(covariance[i]![j]!, average(products), 1e-9);
    });
    assertAlmostEquals(std[i]!, Math.sqrt(covariance[i]![i]!), 1e-12);
  });
  // 300 bytes a record: the first byte of each of the 30.
  assertAlmostEquals(meanImage[0]!, average(bytes.filter((_, i) => i % 300 === 0)), 1e-5);
});

Deno.test("statisticsOf() finds the direction in which colours vary", () => {
  const { eigen, covariance } = statisticsOf(split(colours(3000), 3000), 3);
  const [x, y, z] = eigen.vectors[0]!;
  assertAlmostEquals(x! / y!, 1 / 2, 0.02);
  assertAlmostEquals(z! / y!, -1 / 2, 0.02);
  const trace = covariance.reduce((sum, row, i) => sum + row[i]!, 0);
  assertAlmostEquals(eigen.values.reduce((sum, value) => sum + value, 0), trace, 1e-9);
});

Deno.test("StatisticsSums.merge() gives to the bit what one pass gives, in any order", () => {
  const bytes = Uint8Array.from(colours(800));
  const whole = new StatisticsSums(24, 3), parts = [0, 1, 2].map(() => new StatisticsSums(24, 3));
  for (let i = 0; i < 100; i++) {
    whole.add(bytes, i * 24);
    parts[(i * 7) % 3]!.add(bytes, i * 24);
  }
  const merged = new StatisticsSums(24, 3);
  for (const part of parts.reverse()) merged.merge(part);
  assertEquals(merged.finish(), whole.finish());
});

Deno.test("statisticsOf() rejects an empty split and partial pixels", () => {
  assertThrows(() => statisticsOf(split([], 0), 3), RangeError, "0 bytes");
  assertThrows(() => statisticsOf(split([1, 2, 3, 4], 1), 3), RangeError, "4 bytes");
  assertThrows(() => new StatisticsSums(3, 3).finish(), RangeError, "no images");
});
