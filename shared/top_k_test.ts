import { assertEquals, assertThrows } from "@std/assert";
import { topK } from "./top_k.ts";

Deno.test("topK() ranks best first and breaks ties by index", () => {
  assertEquals(topK(new Float32Array([0.125, 0.5, 0.125, 0.25, 0.125]), 4), [
    { index: 1, probability: 0.5 },
    { index: 3, probability: 0.25 },
    { index: 0, probability: 0.125 },
    { index: 2, probability: 0.125 },
  ]);
});

Deno.test("topK() never gives more than there are classes", () => {
  assertEquals(topK(new Float32Array([0.25, 0.75]), 5).map(({ index }) => index), [1, 0]);
  assertEquals(topK(new Float32Array(), 5), []);
});

Deno.test("topK() equals a stable sort of many values with ties", () => {
  let state = 7;
  const values = Float32Array.from({ length: 1_000 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 24) / 256;
  });
  const sorted = Array.from(values, (probability, index) => ({ index, probability }))
    .sort((a, b) => b.probability - a.probability);
  for (const k of [1, 5, 999, 1_000]) assertEquals(topK(values, k), sorted.slice(0, k));
});

Deno.test("topK() refuses NaN and a k that is no positive integer", () => {
  assertThrows(() => topK(new Float32Array([0.5, NaN, 0.5]), 1), RangeError, "class 1 is NaN");
  for (const k of [0, -1, 1.5, NaN]) {
    assertThrows(() => topK(new Float32Array([1]), k), RangeError, "positive integer");
  }
});
