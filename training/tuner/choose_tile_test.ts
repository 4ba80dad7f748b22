import { assertEquals, assertThrows } from "@std/assert";
import { chooseTile, promising } from "./choose_tile.ts";

const times = (tile: string, ...milliseconds: number[]) => ({ tile, milliseconds });

Deno.test("chooseTile() takes the least median, whatever one run says", () => {
  const choice = chooseTile([
    times("usual", 10, 10, 10),
    // A moment in which the machine was busy, and one in which a clock jumped.
    times("steady", 8, 8, 90),
    times("lucky", 11, 1, 12),
  ]);
  assertEquals(choice, { tile: "steady", milliseconds: 8, defaultMilliseconds: 10 });
});

Deno.test("chooseTile() stays with the default for less than noise", () => {
  assertEquals(chooseTile([times("usual", 10), times("other", 9.8)]).tile, "usual");
  assertEquals(chooseTile([times("usual", 10), times("other", 9.6)]).tile, "other");
  assertEquals(chooseTile([times("usual", 10)]), {
    tile: "usual",
    milliseconds: 10,
    defaultMilliseconds: 10,
  });
});

Deno.test("chooseTile() chooses nothing from what was not timed", () => {
  assertThrows(() => chooseTile([]), RangeError, "was not timed");
  assertThrows(() => chooseTile([times("usual", 1), times("other")]), RangeError, "was not timed");
});

Deno.test("promising() drops what is far behind, never the default", () => {
  const first = (...all: number[]) => promising(all.map((first) => ({ first })));
  assertEquals(first(10, 4, 5.9, 6.1).map(({ first }) => first), [10, 4, 5.9]);
  assertEquals(first(1, 2, 3).map(({ first }) => first), [1]);
});
