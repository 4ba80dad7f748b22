import { assert, assertEquals } from "@std/assert";
import { Random } from "../random.ts";
import { errorBound, relativeError } from "./error_bound.ts";

const floats = (...values: number[]) => Float32Array.from(values);

Deno.test("relativeError() is the largest difference over the largest number", () => {
  assertEquals(relativeError(floats(1, -4, 2), floats(1, -4, 2)), 0);
  assertEquals(relativeError(floats(1, -4, 3), floats(1, -4, 2)), 0.25);
  assertEquals(relativeError(floats(0), floats(0)), 0);
  assertEquals(relativeError(floats(1), floats(0)), Infinity);
});

Deno.test("relativeError() is no number where a result is none", () => {
  assert(Number.isNaN(relativeError(floats(Number.NaN, 1), floats(0, 1))));
  assert(Number.isNaN(relativeError(floats(0, 1), floats(0, Number.NaN))));
});

for (const terms of [100, 3000, 100_000]) {
  Deno.test(`errorBound() of ${terms} terms holds for sums in another order, not for one lost`, () => {
    const random = new Random(terms);
    const results = 20;
    const [forward, backward, lost] = [0, 1, 2].map(() => new Float32Array(results));
    for (let r = 0; r < results; r++) {
      const products = Float32Array.from(
        { length: terms },
        () => random.normal() * random.normal(),
      );
      const add = (sum: number, value: number) => Math.fround(sum + value);
      forward![r] = products.reduce(add, 0);
      backward![r] = products.reduceRight(add, 0);
      lost![r] = products.subarray(0, terms - Math.ceil(terms / 100)).reduce(add, 0);
    }
    assert(relativeError(backward!, forward!) <= errorBound(terms));
    assert(relativeError(lost!, forward!) > errorBound(terms));
  });
}
