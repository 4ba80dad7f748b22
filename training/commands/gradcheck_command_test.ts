import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { captured } from "../fixtures/captured.ts";
import { inFolder, writeRun } from "../fixtures/drawn_run.ts";
import { gradcheckCommand } from "./gradcheck_command.ts";

const run = (...args: string[]) => captured(() => gradcheckCommand(args));

Deno.test("gradcheckCommand() answers wrong arguments with 2 and the reason", async () => {
  const cases: [string[], string][] = [
    [[], "expected one model or run folder"],
    [["a", "b"], "expected one model or run folder"],
    [["lenet5", "--batch", "0"], "--batch is 0 (expected a whole number, at least 1)"],
    [["lenet5", "--seed", "x"], "--seed is x (expected a whole number, at least 0)"],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await run(...args);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, message);
  }
});

Deno.test("gradcheckCommand() prints a line a parameter, of a model and of a run", async () => {
  const { code, stdout } = await run("lenet5");
  assertEquals(code, 0, stdout);
  assertMatch(stdout, /^conv1\.weight +150 .* right$/m);
  assertStringIncludes(stdout, "lenet5: 10 of 10 gradients agree with differences of the loss");
  await inFolder(async (path) => {
    await writeRun(path("run"));
    const { code, stdout } = await run(path("run"), "--json", "--batch", "2");
    assertEquals(code, 0, stdout);
    const checks = JSON.parse(stdout) as { name: string; verdict: string }[];
    assertEquals(checks.length, 10);
    assert(checks.every(({ verdict }) => verdict !== "wrong"));
  });
});

Deno.test("gradcheckCommand() takes another word for a run folder", async () => {
  const { code, stderr } = await run("lenet6");
  assertEquals(code, 1);
  assertStringIncludes(stderr, "no run.json in it");
});
