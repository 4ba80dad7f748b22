import { assertAlmostEquals, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { type ColdStart, percentile, type Scenario, simulate, type Store } from "./cold_starts.ts";
import { FairShare } from "./fair_share.ts";

const start: ColdStart = { beforeStore: 0.1, requests: 3, weightsBytes: 100, afterStore: 0.5 };
const store: Store = {
  bytesPerSecond: 1e9,
  clientBytesPerSecond: 100,
  latency: 0.02,
  requestsPerSecond: 1e9,
};
const alone: Scenario = { start, store, starts: 1, within: 60, caches: 1 };

Deno.test("simulate() of one start is the sum of its stages", () => {
  const { ready, storeBytes, storeRequests } = simulate(alone);
  assertAlmostEquals(ready[0]!, 0.1 + 3 * 0.02 + 0.02 + 1 + 0.5, 1e-6);
  assertEquals([storeBytes, storeRequests], [100, 4]);
});

Deno.test("simulate() of starts that do not meet takes each as long as one alone", () => {
  const { ready, mostTogether } = simulate({ ...alone, starts: 10, caches: 10, within: 100 });
  assertAlmostEquals(ready.at(-1)!, ready[0]!, 1e-6);
  assertEquals(mostTogether, 1);
});

Deno.test("simulate() never sends faster than the store, and wastes none of its time", () => {
  const narrow = { ...store, bytesPerSecond: 1000 };
  const { end, storeBytes } = simulate({
    ...alone,
    store: narrow,
    starts: 100,
    caches: 100,
    within: 0,
  });
  assertEquals(storeBytes, 10_000);
  // All ask at once, so the link is busy from the first byte to the last.
  assertAlmostEquals(end, 0.1 + 4 * 0.02 + 10_000 / 1000 + 0.5, 1e-3);
});

Deno.test("simulate() holds the store's rate of requests", () => {
  const slow = { ...store, requestsPerSecond: 10 };
  const { end } = simulate({ ...alone, store: slow, starts: 100, caches: 100, within: 0 });
  assertGreaterOrEqual(end, 400 / 10);
});

Deno.test("simulate() reads the weights once a cache, and the others wait for it", () => {
  const narrow = { ...store, bytesPerSecond: 50 };
  const given = { ...alone, store: narrow, starts: 20, within: 0 };
  const { storeBytes, ready, storeRequests } = simulate({ ...given, caches: 4 });
  assertEquals(storeBytes, 400);
  assertEquals(storeRequests, 20 * 3 + 4);
  const without = simulate({ ...given, caches: 20 });
  assertEquals(without.storeBytes, 2000);
  assertGreaterOrEqual(percentile(without.ready, 0.99), 4 * percentile(ready, 0.99));
});

Deno.test("simulate() gives the same for the same", () => {
  const given = { ...alone, store: { ...store, bytesPerSecond: 777 }, starts: 300, caches: 40 };
  assertEquals(simulate(given), simulate(given));
});

Deno.test("FairShare gives transfers of different lengths their shares as others come and go", () => {
  const link = new FairShare(10, 8);
  const ends: [string, number][] = [];
  link.begin(0, 40, (at) => ends.push(["a", at]));
  // Alone, `a` is held to its own 8 a second: 24 left of 40 after 2 s. Then 5 each.
  link.begin(2, 10, (at) => ends.push(["b", at]));
  link.finish();
  link.finish();
  // `b` ends after 2 s at 5; `a` has 14 left, at 8 again.
  assertEquals(ends, [["b", 4], ["a", 5.75]]);
});
