import { assertAlmostEquals, assertEquals } from "@std/assert";
import { Random } from "../random.ts";
import { InputMoments } from "./input_moments.ts";

Deno.test("InputMoments finds how an input follows from those behind it, block by block", () => {
  const random = new Random(1);
  const moments = new InputMoments(5, 3);
  for (let image = 0; image < 200; image++) {
    const [a, b, c] = [random.normal(), random.normal(), random.normal()] as const;
    // Blocks of 3 and of 2: 2 b - c, b, c and 0.5 a, a.
    moments.add(Float32Array.of(2 * b - c, b, c, 0.5 * a, a));
  }
  const first = moments.regressions(0, 1e-9);
  assertAlmostEquals(first[1]!, 2, 1e-5);
  assertAlmostEquals(first[2]!, -1, 1e-5);
  // Independent but for chance: 200 images.
  assertAlmostEquals(first[5]!, 0, 0.2);
  assertAlmostEquals(moments.regressions(1, 1e-9)[1]!, 0.5, 1e-5);
  // Nothing below the diagonal; much damping tells nothing of anything.
  assertEquals([first[0], first[3], first[4], first[6], first[7], first[8]], [0, 0, 0, 0, 0, 0]);
  assertAlmostEquals(moments.regressions(1, 1e6)[1]!, 0, 1e-5);
});

Deno.test("InputMoments knows nothing of inputs that are always zero", () => {
  const moments = new InputMoments(2, 2);
  moments.add(new Float32Array(4));
  assertEquals(moments.regressions(0, 0.1), new Float64Array(4));
});
