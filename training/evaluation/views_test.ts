import { assertEquals, assertThrows } from "@std/assert";
import { viewsOf } from "./views.ts";

const text = (count: 1 | 9 | 10, side: number, crop: number) =>
  viewsOf(count, { side, crop }).map(({ x, y, mirror }) => `${x},${y}${mirror ? "m" : ""}`).join(
    " ",
  );

Deno.test("viewsOf() are the centre, a grid, or corners and centre mirrored", () => {
  assertEquals(text(1, 256, 224), "16,16");
  assertEquals(text(1, 9, 6), "1,1");
  assertEquals(text(9, 32, 24), "0,0 4,0 8,0 0,4 4,4 8,4 0,8 4,8 8,8");
  assertEquals(
    text(10, 256, 224),
    "0,0 0,0m 32,0 32,0m 0,32 0,32m 32,32 32,32m 16,16 16,16m",
  );
});

Deno.test("viewsOf() refuses several views of a record without a margin", () => {
  assertEquals(text(1, 28, 28), "0,0");
  for (const count of [9, 10] as const) {
    assertThrows(
      () => text(count, 28, 28),
      RangeError,
      `Cannot look at ${count} views: records of 28`,
    );
  }
});
