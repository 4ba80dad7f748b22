import { assertEquals } from "@std/assert";
import { digits, formatTable, percent, ratio } from "./table.ts";

Deno.test("formatTable() sets words to the left and numbers to the right", () => {
  const text = formatTable({
    head: ["machine"],
    columns: ["layer", "by", "GFLOP/s"],
    rows: [["conv1", "us", "7"], ["fc8", undefined, "113"]],
    notes: ["not here: them"],
  });
  assertEquals(
    text,
    [
      "machine",
      "",
      "layer  by  GFLOP/s",
      "-----  --  -------",
      "conv1  us        7",
      "fc8            113",
      "",
      "not here: them",
    ].join("\n"),
  );
});

Deno.test("digits() keeps three that count; what was not measured stays empty", () => {
  assertEquals([0.01234, 1.2345, 12.345, 123.45, 12345].map(digits), [
    "0.0123",
    "1.23",
    "12.3",
    "123",
    "12,345",
  ]);
  assertEquals([digits(undefined), percent(Number.NaN), ratio(1, undefined)], ["", "", ""]);
  assertEquals([percent(0.5), ratio(3, 2)], ["50 %", "1.5 x"]);
});
