import { assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import { Histogram } from "./histogram.ts";

/** Half-normal magnitudes by Box and Muller from a counter, and one far outlier. */
function values(outlier: number): Float32Array {
  const numbers = Float32Array.from({ length: 100_000 }, (_, i) => {
    const [u, v] = [((i * 7919) % 100_003 + 0.5) / 100_003, ((i * 104_729) % 100_019) / 100_019];
    return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
  });
  numbers[5] = outlier;
  return numbers;
}

Deno.test("Histogram finds maximum and percentiles, in one pass or many", () => {
  const [whole, parts] = [new Histogram(), new Histogram()];
  const all = values(-40);
  whole.add(all);
  for (let i = 0; i < all.length; i += 1000) parts.add(all.subarray(i, i + 1000));
  assertEquals([whole.max, parts.max], [40, 40]);
  // 99 % of a normal distribution lie within 2.576 deviations.
  assertAlmostEquals(whole.percentile(0.99), 2.576, 0.03);
  assertAlmostEquals(parts.percentile(0.99), whole.percentile(0.99), 0.03);
});

Deno.test("Histogram.leastError() cuts off an outlier that would take all steps, and is the best", () => {
  const numbers = values(40);
  const histogram = new Histogram();
  histogram.add(numbers);
  const limit = histogram.leastError(127);
  assertLess(limit, 39);
  const error = (limit: number) => {
    const step = limit / 127;
    return numbers.reduce((sum, x) => {
      const rounded = Math.min(Math.round(Math.abs(x) / step), 127) * step;
      return sum + (Math.abs(x) - rounded) ** 2;
    }, 0);
  };
  // Against every candidate, on the numbers themselves and not on their counts.
  const best = Math.min(...Array.from({ length: 128 }, (_, i) => error(40 * (i + 1) / 128)));
  assertLess(error(limit), best * 1.05);
});
