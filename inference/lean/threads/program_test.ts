import { assertEquals } from "@std/assert";
import type { Task } from "../step.ts";
import { decodeTasks, encodeTasks } from "./program.ts";

Deno.test("decodeTasks() gives what encodeTasks() was given, fractions too", () => {
  const tasks: Task[] = [
    [{ kernel: "fill", parameters: [65_536, 0, 12] }, { kernel: "softmaxF32", parameters: [] }],
    [],
    [{ kernel: "lrnF32", parameters: [3_000_000_000, 1e-4 / 3, -1] }],
  ];
  assertEquals(decodeTasks(encodeTasks(tasks)), tasks);
});
