import { assertEquals, assertThrows } from "@std/assert";
import { readOptions, select } from "./bench.ts";

Deno.test("readOptions() reads what every bench takes", () => {
  const args = ["--quick", "--only", "conv2", "--batch", "16", "--python", "py", "--json"];
  assertEquals(readOptions("bench:kernels", args), {
    quick: true,
    json: true,
    only: "conv2",
    python: "py",
    batch: 16,
  });
  assertEquals(readOptions("bench:kernels", ["-h"]), "help");
});

Deno.test("readOptions() refuses slips of the keys and batches that are none", () => {
  for (
    const [args, message] of [
      [["--bathc", "3"], "did you mean --batch?"],
      [["--batch", "1.5"], "Cannot run bench:train: --batch is 1.5"],
      [["lenet5"], "lenet5 belongs to no option"],
    ] as const
  ) {
    assertThrows(() => readOptions("bench:train", args), SyntaxError, message);
  }
});

Deno.test("select() takes names by a part of them, and says what there is", () => {
  const names = ["alexnet conv1", "alexnet conv2", "lenet5 conv1"];
  assertEquals(select(names, "conv1", String), ["alexnet conv1", "lenet5 conv1"]);
  assertEquals(select(names, "", String), names);
  assertThrows(
    () => select(names, "lenet5 conv9", String),
    SyntaxError,
    "did you mean lenet5 conv1?",
  );
});
