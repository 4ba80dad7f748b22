import { assertEquals } from "@std/assert";
import { stagesOf, total } from "./stages.ts";

Deno.test("stagesOf() lays the stages end to end, from arrival to the end of the last run", () => {
  const made = { startedAt: 105, decodeMs: 20, preprocessMs: 5 };
  const runs = [{ startedAt: 140, milliseconds: 10 }, { startedAt: 152, milliseconds: 8 }];
  const stages = stagesOf(100, made, runs);
  assertEquals(stages.map(({ name, milliseconds }) => [name, milliseconds]), [
    ["queue", 5],
    ["decode", 20],
    ["preprocess", 5],
    ["queue", 10],
    ["run", 20],
  ]);
  stages.reduce((end, { startedAt, milliseconds }) => {
    assertEquals(startedAt, end);
    return startedAt + milliseconds;
  }, 100);
  assertEquals(total(stages, "queue"), 15);
});

Deno.test("stagesOf() has no decoding where the client sent the network's own input", () => {
  const stages = stagesOf(100, undefined, [{ startedAt: 101, milliseconds: 2 }]);
  assertEquals(stages.map(({ name }) => name), ["queue", "run"]);
});

Deno.test("stagesOf() gives no stage less than nothing when threads' clocks differ", () => {
  const made = { startedAt: 99.99, decodeMs: 1, preprocessMs: 1 };
  const [queued] = stagesOf(100, made, [{ startedAt: 103, milliseconds: 1 }]);
  assertEquals(queued!.milliseconds, 0);
});
