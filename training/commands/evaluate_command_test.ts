import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { captured } from "../fixtures/captured.ts";
import { drawImages, inFolder, writeCheckpoint, writeRun } from "../fixtures/drawn_run.ts";
import { checkpointPath, readEvaluation } from "../run_folder.ts";
import { evaluateCommand } from "./evaluate_command.ts";

const run = (...args: string[]) => captured(() => evaluateCommand(args));

Deno.test("evaluateCommand() --help says what it needs", async () => {
  const { code, stdout } = await run("--help");
  assertEquals(code, 0);
  assertStringIncludes(stdout, "Usage: topfive evaluate RUN --data DIR");
});

Deno.test("evaluateCommand() answers wrong arguments with 2 and the reason", async () => {
  const cases: [string[], string][] = [
    [[], "expected one run folder and --data DIR"],
    [["run"], "expected one run folder and --data DIR"],
    [["--data", "x"], "expected one run folder and --data DIR"],
    [["a", "b", "--data", "x"], "expected one run folder and --data DIR"],
    [
      ["run", "--data", "x", "--split", "tset"],
      "--split is tset (expected train, validation, test)",
    ],
    [["run", "--dat", "x"], "unknown option --dat (did you mean --data?)"],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await run(...args);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, message);
    assertStringIncludes(stderr, "Try: topfive evaluate --help");
  }
});

Deno.test("evaluateCommand() measures each split and keeps the last measurement", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    await writeRun(path("run"), { step: 12 });
    const counts = { train: 40, validation: 10, test: 10 };
    for (const [split, images] of Object.entries(counts)) {
      const { code, stdout } = await run(
        ...[path("run"), "--data", path("images"), "--split", split, "--json"],
      );
      assertEquals(code, 0);
      const result = JSON.parse(stdout);
      assertEquals([result.split, result.images, result.step], [split, images, 12]);
      assert(result.loss > 0 && result.top1Error >= result.top5Error, stdout);
      assertEquals(await readEvaluation(path("run")), result);
    }
    const { stdout } = await run(path("run"), "--data", path("images"));
    assertMatch(stdout, /^test: 10 images in [\d.]+ s\n {2}top-1 error \d+\.00 %\n {2}top-5 error/);
  });
});

Deno.test("evaluateCommand() takes the validation images where there are no others", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    await Deno.remove(path("images/test"), { recursive: true });
    await writeRun(path("run"));
    const { code, stdout } = await run(path("run"), "--data", path("images"), "--json");
    assertEquals([code, JSON.parse(stdout).split], [0, "validation"]);
    const asked = await run(path("run"), "--data", path("images"), "--split", "test");
    assertEquals(asked.code, 1);
    assertStringIncludes(asked.stderr, "has no test images of its own (try --split validation)");
  });
});

Deno.test("evaluateCommand() refuses other classes, a missing run and a missing checkpoint", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    await writeRun(path("two"), { classes: ["cat", "dog"] });
    await writeRun(path("early"), { step: null });
    await writeRun(path("mixed"), { step: null });
    await writeCheckpoint(path("mixed"), "alexnet-small", 10, 1);
    const cases: [string, string][] = [
      [path("two"), "the run's are cat, dog"],
      [path("early"), "it has no checkpoint (no epoch was finished)"],
      [path("mixed"), "its checkpoint is of alexnet-small, not lenet5"],
      [path("nothing"), "no run.json in it (train one: ./topfive train --out"],
    ];
    for (const [folder, message] of cases) {
      const { code, stderr } = await run(folder, "--data", path("images"));
      assertEquals(code, 1, stderr);
      assertStringIncludes(stderr, message);
      assertEquals(await readEvaluation(folder), null);
    }
  });
});

Deno.test("evaluateCommand() takes a damaged checkpoint for no fault of the arguments", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    await writeRun(path("run"));
    await Deno.truncate(checkpointPath(path("run")), 1000);
    const { code, stderr } = await run(path("run"), "--data", path("images"));
    assertEquals(code, 1);
    const file = checkpointPath(path("run"));
    assertEquals(stderr, `topfive: Cannot read checkpoint ${file}: it was truncated or altered`);
  });
});
