import { assertEquals, assertThrows } from "@std/assert";
import { parseLabels } from "./labels.ts";

Deno.test("parseLabels() reads lines, arrays and objects by index", () => {
  const labels = ["n01 tench", "n02 goldfish"];
  const files = [
    "n01 tench\nn02 goldfish\n",
    "n01 tench\r\nn02 goldfish\r\n\r\n",
    JSON.stringify(labels),
    JSON.stringify({ 1: labels[1], 0: labels[0] }),
    JSON.stringify({ 0: ["n01", "tench"], 1: ["n02", "goldfish"] }),
  ];
  for (const file of files) assertEquals(parseLabels(file), labels);
});

Deno.test("parseLabels() refuses files that leave a class without a label", () => {
  for (const file of ["", "\n\n", "[]", "{}"]) {
    assertThrows(() => parseLabels(file), SyntaxError, "the file has none");
  }
  assertThrows(() => parseLabels("a\n\nb\n"), SyntaxError, "class 1 has none");
  assertThrows(() => parseLabels('{"0": "a", "2": "c"}'), SyntaxError, "class 1 has none");
  for (const file of ["[1, 2]", '{"a": "b"}', "[[]]"]) {
    assertThrows(() => parseLabels(file), SyntaxError, "expected lines of text");
  }
  assertThrows(() => parseLabels("{broken"), SyntaxError, "Cannot read labels");
});
