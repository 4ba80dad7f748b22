import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  afterEpoch,
  learningRateAt,
  SCHEDULE_START,
  SCHEDULES,
  type ScheduleState,
  ScheduleStateSchema,
} from "./schedule.ts";

const common = {
  learningRate: 0.4,
  totalSteps: 100,
  warmupSteps: 0,
  dropAt: [0.5, 0.75, 0.9],
  patience: 2,
  minimumGain: 0.01,
  drops: 3,
} as const;

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
    const schedule = { ...common, name, learningRate: 1, totalSteps: 4, warmupSteps: 100 };
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
          const schedule = { ...common, name, learningRate: 1, totalSteps, warmupSteps };
          const rate = learningRateAt(schedule, step);
          assert(rate > 0 && rate <= 1, `${name} ${step} of ${totalSteps}: ${rate}`);
        }
      }
    }
  }
});

const PLATEAU = { name: "plateau", ...common } as const;

/** The rate of the epoch after each of these errors, and the state at the end. */
function follow(errors: readonly number[], schedule = PLATEAU) {
  let state: ScheduleState = SCHEDULE_START;
  const rates = errors.map((error) => {
    state = afterEpoch(schedule, state, error);
    return learningRateAt(schedule, 50, state);
  });
  return { rates, state };
}

Deno.test("afterEpoch() plateau divides by ten after `patience` epochs that are not better", () => {
  const { rates, state } = follow([0.9, 0.5, 0.5, 0.4, 0.45, 0.41, 0.3, 0.3]);
  rates.forEach((rate, i) => assertAlmostEquals(rate, i < 5 ? 0.4 : 0.04, 1e-15));
  assertEquals(state, { best: 0.3, epochsSinceBest: 1, drops: 1, finished: false });
});

Deno.test("afterEpoch() plateau takes a fall within the minimum gain for none", () => {
  const crawl = [0.5, 0.492, 0.491];
  assertEquals(follow(crawl).state.drops, 1);
  assertEquals(follow(crawl, { ...PLATEAU, minimumGain: 0 as 0.01 }).state.drops, 0);
});

Deno.test("afterEpoch() plateau divides three times, then training is over", () => {
  const { rates, state } = follow([0.5, ...Array(8).fill(0.5)]);
  const expected = [0.4, 0.4, 0.04, 0.04, 0.004, 0.004, 0.0004, 0.0004, 0.0004];
  rates.forEach((rate, i) => assertAlmostEquals(rate, expected[i]!, 1e-15));
  assertEquals([state.drops, state.finished], [3, true]);
  assertEquals(afterEpoch(PLATEAU, state, 0.1), state);
});

Deno.test("afterEpoch() leaves the state of other schedules, which is plain data", () => {
  for (const name of SCHEDULES) {
    const state = afterEpoch({ ...PLATEAU, name }, SCHEDULE_START, 0.5);
    assertEquals(state === SCHEDULE_START, name !== "plateau");
    assertEquals(ScheduleStateSchema.parse(JSON.parse(JSON.stringify(state))), state);
  }
});

Deno.test("learningRateAt() plateau rises through the warm-up as the others do", () => {
  const rates = [0, 9, 10].map((step) => learningRateAt({ ...PLATEAU, warmupSteps: 10 }, step));
  rates.forEach((rate, i) => assertAlmostEquals(rate, [0.04, 0.4, 0.4][i]!, 1e-15));
});
