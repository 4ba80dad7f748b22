import { assertEquals } from "@std/assert";
import { inTasks, ranges } from "./step.ts";

Deno.test("ranges() gives all in order, no part smaller than the grain", () => {
  for (let length = 1; length < 80; length++) {
    for (const grain of [1, 6, 12]) {
      for (let parts = 1; parts < 12; parts++) {
        const cut = ranges(length, parts, grain);
        let at = 0;
        for (const { from, count } of cut) {
          assertEquals(from, at);
          at += count;
        }
        assertEquals(at, length);
        assertEquals(cut.length, Math.min(parts, Math.max(1, Math.floor(length / grain))));
        if (length >= grain) assertEquals(cut.every(({ count }) => count >= grain), true);
      }
    }
  }
});

Deno.test("inTasks() keeps the order of the calls", () => {
  const calls = [1, 2, 3, 4, 5].map((at) => ({ kernel: "fill", parameters: [at] }) as const);
  const tasks = inTasks(calls, 2);
  assertEquals(tasks.length, 2);
  assertEquals(tasks.flat(), calls);
});
