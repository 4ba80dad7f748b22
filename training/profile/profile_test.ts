import { assertAlmostEquals, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { StepDispatch, StepPart } from "../graph/engine_options.ts";
import { chromeTrace } from "./chrome_trace.ts";
import { median } from "./median.ts";
import { profileOf, type StepTimes } from "./profile.ts";
import { formatProfile } from "./profile_table.ts";

const peak = { gigaflops: 100, gigabytes: 10 };

/** A step of three layers whose every time is `slower` milliseconds more than its usual. */
function stepOf(slower: number, start = 0): StepTimes {
  const parts: [StepPart, string, number][] = [
    [{ node: "conv", direction: "forward", bytes: 1e6, problem: problemOf(1e8) }, "conv f", 4],
    [{ node: "pool", direction: "forward", bytes: 2e7 }, "pool f", 2],
    [{ node: "conv", direction: "backward", bytes: 1e6, problem: problemOf(1e8) }, "conv w", 3],
    [{ node: "conv", direction: "backward", bytes: 0, problem: problemOf(0) }, "sum", 1],
    [{ node: "sgd", direction: "update", bytes: 1e6 }, "SGD", 1],
  ];
  let clock = start;
  return parts.map(([part, label, usual]) => {
    const milliseconds = usual + slower;
    const time = { label, dispatch: part as StepDispatch, startMilliseconds: clock, milliseconds };
    clock += milliseconds;
    return time;
  });
}

function problemOf(multiplyAdds: number) {
  return { key: "k", tile: "t", candidates: ["t"], multiplyAdds };
}

const profile = profileOf([stepOf(0), stepOf(50), stepOf(0)], { images: 8, peak });

Deno.test("profileOf() sums a step by layer and direction, the longest first", () => {
  assertEquals(profile.milliseconds, 11);
  assertEquals(
    profile.rows.map(({ node, direction, milliseconds, dispatches }) => [
      `${node} ${direction}`,
      milliseconds,
      dispatches,
    ]),
    [
      ["conv forward", 4, 1],
      ["conv backward", 4, 2],
      ["pool forward", 2, 1],
      ["sgd update", 1, 1],
    ],
  );
  assertAlmostEquals(profile.rows.reduce((sum, { share }) => sum + share, 0), 1);
});

Deno.test("profileOf() counts two operations a multiply-add and holds them against the peak", () => {
  const [forward, backward, pool] = profile.rows;
  // 2e8 operations in 4 ms.
  assertAlmostEquals(forward!.gigaflops!, 50);
  assertAlmostEquals(backward!.gigaflops!, 50);
  assertAlmostEquals(forward!.ofPeak, 0.5);
  assertEquals([forward!.limit, pool!.limit], ["compute", "memory"]);
  // 2e7 bytes in 2 ms.
  assertEquals(pool!.gigaflops, null);
  assertAlmostEquals(pool!.gigabytes, 10);
  assertAlmostEquals(pool!.ofPeak, 1);
});

Deno.test("profileOf() refuses to profile nothing", () => {
  assertThrows(() => profileOf([], { images: 1, peak }), RangeError, "no step was timed");
});

Deno.test("formatProfile() has a line a row, the total and the peak", () => {
  const text = formatProfile(profile);
  assertEquals(text.split("\n").slice(0, 6), [
    "layer  direction     ms    share  GFLOP/s  GB/s  of peak",
    "conv   forward     4.00   36.4 %     50.0   0.3  50.0 % compute",
    "conv   backward    4.00   36.4 %     50.0   0.3  50.0 % compute",
    "pool   forward     2.00   18.2 %           10.0  100.0 % memory",
    "sgd    update      1.00    9.1 %            1.0  10.0 % memory",
    "total             11.00  100.0 %",
  ]);
  assertStringIncludes(text, "step of 8 images, median of 3: 11.00 ms (727 images/s)");
  assertStringIncludes(text, "100.0 GFLOP/s in a product of matrices, 10.0 GB/s in a copy");
});

Deno.test("chromeTrace() has a track a direction and an event a dispatch, from zero", () => {
  const { traceEvents } = chromeTrace([stepOf(0, 1000), stepOf(0, 1020)], "net");
  const names = traceEvents.filter(({ ph }) => ph === "M").map(({ tid, args }) => [tid, args.name]);
  assertEquals(names, [[0, "net"], [1, "forward"], [2, "backward"], [3, "update"]]);
  const events = traceEvents.filter(({ ph }) => ph === "X");
  assertEquals(events.map(({ tid }) => tid), [1, 1, 2, 2, 3, 1, 1, 2, 2, 3]);
  assertEquals(events.slice(0, 2).map(({ ts, dur }) => [ts, dur]), [[0, 4000], [4000, 2000]]);
  assertEquals(events[5]!.ts, 20_000);
  assertEquals(events[0]!.args, { kernel: "conv f", step: 0, "GFLOP/s": 50 });
  assertEquals(events[1]!.args, { kernel: "pool f", step: 0 });
});

Deno.test("median() is the middle, whatever the order", () => {
  assertEquals(median([3, 100, 1]), 3);
  assertEquals(median([4, 1, 2, 100]), 3);
  assertEquals(median([]), Number.NaN);
});
