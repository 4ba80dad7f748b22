import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { learningRateAt, SCHEDULES } from "./schedule.ts";

const common = { learningRate: 0.4, totalSteps: 100, warmupSteps: 0 } as const;

Deno.test("learningRateAt() constant never changes", () => {
  for (const step of [0, 1, 50, 99]) {
    assertEquals(learningRateAt({ name: "constant", ...common }, step), 0.4);
  }
});

Deno.test("learningRateAt() cosine falls from the rate by half a cosine towards zero", () => {
  const at = (step: number) => learningRateAt({ name: "cosine", ...common }, step);
  assertEquals(at(0), 0.4);
  assertAlmostEquals(at(25), 0.2 * (1 + Math.SQRT1_2), 1e-12);
  assertAlmostEquals(at(50), 0.2, 1e-12);
  assertAlmostEquals(at(75), 0.2 * (1 - Math.SQRT1_2), 1e-12);
  assertAlmostEquals(at(99), 0.2 * (1 + Math.cos(0.99 * Math.PI)), 1e-12);
  assert(at(99) > 0, "the last step does nothing");
});

Deno.test("learningRateAt() step divides by ten at 50, 75 and 90 percent", () => {
  const rates = [0, 49, 50, 74, 75, 89, 90, 99].map((step) =>
    learningRateAt({ name: "step", ...common }, step)
  );
  const expected = [0.4, 0.4, 0.04, 0.04, 0.004, 0.004, 0.0004, 0.0004];
  rates.forEach((rate, i) => assertAlmostEquals(rate, expected[i]!, 1e-15));
});

Deno.test("learningRateAt() rises in equal steps to the rate, then starts the schedule there", () => {
  for (const name of SCHEDULES) {
    const at = (step: number) => learningRateAt({ name, ...common, warmupSteps: 20 }, step);
    assertAlmostEquals(at(0), 0.02, 1e-12);
    assertAlmostEquals(at(9), 0.2, 1e-12);
    assertAlmostEquals(at(19), 0.4, 1e-12);
    assertAlmostEquals(at(20), 0.4, 1e-12);
  }
  const halfway = learningRateAt({ name: "cosine", ...common, warmupSteps: 20 }, 60);
  assertAlmostEquals(halfway, 0.2, 1e-12);
});

Deno.test("learningRateAt() a run shorter than its warm-up only rises", () => {
  for (const name of SCHEDULES) {
    const schedule = { name, learningRate: 1, totalSteps: 4, warmupSteps: 100 };
    assertEquals([0, 1, 2, 3].map((step) => learningRateAt(schedule, step)), [
      0.01,
      0.02,
      0.03,
      0.04,
    ]);
  }
});

Deno.test("learningRateAt() is finite and above zero at every step of the shortest runs", () => {
  for (const name of SCHEDULES) {
    for (const totalSteps of [1, 2, 3]) {
      for (const warmupSteps of [0, 1, 2, 3]) {
        for (let step = 0; step < totalSteps; step++) {
          const rate = learningRateAt({ name, learningRate: 1, totalSteps, warmupSteps }, step);
          assert(rate > 0 && rate <= 1, `${name} ${step} of ${totalSteps}: ${rate}`);
        }
      }
    }
  }
});
