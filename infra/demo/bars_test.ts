import { assertEquals } from "@std/assert";
import { bar, formatPredictions } from "./bars.ts";

Deno.test("bar() is as long as the share, to an eighth of a character", () => {
  assertEquals(bar(0), "");
  assertEquals(bar(1), "█".repeat(30));
  assertEquals(bar(0.5), "█".repeat(15));
  assertEquals(bar(1 / 240), "▏");
  assertEquals(bar(0.5 + 7 / 240), "█".repeat(15) + "▉");
});

Deno.test("bar() keeps shares outside 0 to 1 within its width", () => {
  assertEquals(bar(1.0000001), bar(1));
  assertEquals(bar(-1e-9), "");
});

Deno.test("formatPredictions() aligns labels, marks the right one, colours it on request", () => {
  const predictions = [
    { label: "star", index: 3, probability: 0.9 },
    { label: "crescent", index: 1, probability: 0.1 },
  ];
  assertEquals(formatPredictions(predictions, "crescent", false), [
    `  star      ${"█".repeat(27)}     90.0 %`,
    `✓ crescent  ███${" ".repeat(27)}  10.0 %`,
  ]);
  const [plain, coloured] = formatPredictions(predictions, "crescent", true);
  assertEquals([plain?.includes("\x1b"), coloured?.includes("\x1b[32m")], [false, true]);
});
