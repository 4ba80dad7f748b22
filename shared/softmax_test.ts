import { assertAlmostEquals, assertEquals } from "@std/assert";
import { areProbabilities, softmax } from "./softmax.ts";

Deno.test("softmax() makes each row sum to one, and survives large scores", () => {
  const values = softmax(new Float32Array([0, Math.log(3), 1000, 1000, -2000, -2000]), 2);
  for (const [index, expected] of [0.25, 0.75, 0.5, 0.5, 0.5, 0.5].entries()) {
    assertAlmostEquals(values[index]!, expected, 1e-6);
  }
  assertEquals(values.length, 6);
});

Deno.test("areProbabilities() tells scores from probabilities", () => {
  assertEquals(areProbabilities(new Float32Array([0.25, 0.75, 1, 0]), 2), true);
  for (const row of [[0.25, 0.7], [1.5, -0.5], [NaN, 1], [3, 4]]) {
    assertEquals(areProbabilities(new Float32Array([0.5, 0.5, ...row]), 2), false, `${row}`);
  }
});
