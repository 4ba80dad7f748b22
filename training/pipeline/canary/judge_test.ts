import { assertEquals, assertStringIncludes } from "@std/assert";
import type { CanaryReport } from "../../../shared/registry/canary.ts";
import { type CanaryEvidence, Evidence } from "./evidence.ts";
import { judgeCanary } from "./judge.ts";
import { CanaryPolicySchema } from "./policy.ts";

const POLICY = CanaryPolicySchema.parse({});

const GOOD: CanaryEvidence = {
  instances: 1,
  broken: undefined,
  champion: { asked: 400, errors: 0, medianMs: 10 },
  candidate: { asked: 210, errors: 0, medianMs: 12 },
  agreed: 180,
  differed: 30,
  newClass: 0,
  dropped: 0,
};

const CASES: [string, Partial<CanaryEvidence>, string, string][] = [
  [
    "good",
    {},
    "promote",
    "agrees on 85.7 % of 210 images; 0 of 210 failed; 12.0 ms, champion 10.0",
  ],
  ["too few yet", { agreed: 100 }, "wait", "130 of 200 images compared"],
  ["refused", { broken: "no such operator" }, "take-back", "does not run it: no such operator"],
  [
    ...["failing early", { agreed: 20, differed: 0 }] as const,
    ...["wait", "20 of 200 images compared"] as const,
  ],
  [
    "surely failing early",
    { agreed: 20, differed: 0, candidate: { asked: 30, errors: 10, medianMs: 1 } },
    "take-back",
    "it failed on 10 of 30 images, 1.0 % allowed",
  ],
  [
    "failing as often as the champion",
    {
      champion: { asked: 400, errors: 40, medianMs: 10 },
      candidate: { asked: 230, errors: 20, medianMs: 10 },
    },
    "promote",
    "20 of 230 failed",
  ],
  ["mixed-up labels, early", { agreed: 1, differed: 29 }, "take-back", "on 3.3 % of 30 images"],
  ["differing, too few to tell", { agreed: 15, differed: 14 }, "wait", "29 of 200"],
  [
    "differing",
    { agreed: 139, differed: 71 },
    "take-back",
    "on 66.2 % of 210 images, 70.0 % asked",
  ],
  [
    "slow",
    { candidate: { asked: 210, errors: 0, medianMs: 16 } },
    "take-back",
    "it takes 1.60 times as long as the champion, 1.5 allowed",
  ],
  [
    "answering new classes alone",
    { agreed: 0, differed: 0, newClass: 500 },
    "wait",
    "0 of 200 images compared",
  ],
];

for (const [what, changes, verdict, reason] of CASES) {
  Deno.test(`judgeCanary() on a candidate that is ${what}: ${verdict}`, () => {
    const judged = judgeCanary({ ...GOOD, ...changes }, POLICY, false);
    assertEquals(judged.verdict, verdict);
    assertStringIncludes(judged.reason, reason);
  });
}

Deno.test("judgeCanary() takes back what has shown too little when time is up", () => {
  const { verdict, reason } = judgeCanary({ ...GOOD, agreed: 10, differed: 2 }, POLICY, true);
  assertEquals(verdict, "take-back");
  assertStringIncludes(reason, "time is up with 12 of 200 images compared");
  assertEquals(judgeCanary(GOOD, POLICY, true).verdict, "promote");
});

/** A report of one process that compared so many images. */
function report(instance: string, agreed: number, move = 3, p50 = 10): CanaryReport {
  const tally = { asked: agreed, answered: 0, errors: 0, milliseconds: { p50, p95: 20 } };
  return {
    ...{ model: "pets", instance, state: "running", reason: "" },
    canary: {
      ...{ champion: "v1", candidate: "v2", setting: { mode: "shadow" }, move, dropped: 1 },
      ...{ since: "2026-11-28T00:00:00.000Z", champions: tally, candidates: tally },
      compared: { agreed, differed: 1, newClass: 0 },
    },
  };
}

Deno.test("Evidence counts each process once, its last report, and no other canary's", () => {
  const evidence = new Evidence(3);
  evidence.add(report("a", 5));
  evidence.add(report("a", 30, 3, 20));
  evidence.add(report("b", 10));
  evidence.add(report("c", 100, 2));
  evidence.add({ model: "pets", instance: "d", state: "none", reason: "", canary: null });
  const { instances, agreed, differed, dropped, candidate } = evidence.sum();
  assertEquals([instances, agreed, differed, dropped], [2, 40, 2, 2]);
  assertEquals(candidate, { asked: 40, errors: 0, medianMs: 17.5 });
});
