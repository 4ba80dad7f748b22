import { assertAlmostEquals, assertMatch } from "@std/assert";
import { costOfMillion, HOSTS } from "./prices.ts";

const host = (name: string) => HOSTS.find((candidate) => candidate.name.startsWith(name))!;
const capacity = { answersPerSecond: 20, peakBytes: 2 ** 29 };

Deno.test("costOfMillion() adds requests, cores and memory as the host's bill does", () => {
  // 50,000 core-seconds at 0.75 GiB: 0.40 + 50,000 × (0.000024 + 0.75 × 0.0000025).
  assertAlmostEquals(costOfMillion(host("Google"), capacity), 1.69375, 1e-9);
  // Lambda sells a whole core with 1,769 MB alone.
  assertAlmostEquals(
    costOfMillion(host("AWS"), capacity),
    0.20 + 50_000 * 1769 / 1024 * 0.0000166667,
    1e-9,
  );
  // A machine that is half busy is paid for twice as long.
  assertAlmostEquals(costOfMillion(host("Hetzner"), capacity), 100_000 * 0.003 / 3600, 1e-9);
});

Deno.test("every price has its source and the day it was read", () => {
  for (const { source, read } of HOSTS) {
    assertMatch(source, /\.(com|tech|co)/);
    assertMatch(read, /^\d{4}-\d{2}-\d{2}$/);
  }
});
