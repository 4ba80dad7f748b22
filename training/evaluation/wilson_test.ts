import { assertAlmostEquals, assertEquals } from "@std/assert";
import { wilsonInterval } from "./wilson.ts";

// statsmodels 0.15.0, proportion_confint(hits, trials, method="wilson").
const STATSMODELS = [
  [0, 10, 0, 0.27753279986288926],
  [1, 10, 0.017876213095072896, 0.40415002679523854],
  [117, 450, 0.22162522804872137, 0.3024376450055046],
  [10, 10, 0.7224672001371107, 1],
] as const;

Deno.test("wilsonInterval() equals statsmodels", () => {
  for (const [hits, trials, low, high] of STATSMODELS) {
    const interval = wilsonInterval(hits, trials);
    assertAlmostEquals(interval[0], low, 1e-12, `${hits} of ${trials}`);
    assertAlmostEquals(interval[1], high, 1e-12, `${hits} of ${trials}`);
  }
  assertEquals(wilsonInterval(0, 0), [0, 1]);
});
