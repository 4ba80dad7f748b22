import { assertEquals, assertStringIncludes } from "@std/assert";
import { captured } from "../fixtures/captured.ts";
import { drawImages, inFolder, writeCheckpoint, writeRun } from "../fixtures/drawn_run.ts";
import { checkpointPath, findCheckpoint } from "../checkpoint/checkpoint_folder.ts";
import { lockRun } from "../run_lock.ts";
import { trainCommand } from "./train_command.ts";

const run = (...args: string[]) => captured(() => trainCommand(args));

Deno.test("trainCommand() --resume refuses what does not belong together, with the reason", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    await writeRun(path("run"));
    await writeRun(path("other"), { step: null });
    await writeCheckpoint(path("other"), "cifar10-18pct", 10, 4);
    await writeRun(path("cut"), { step: 4 });
    await writeCheckpoint(path("cut"), "lenet5", 10, 8);
    await Deno.truncate(checkpointPath(path("cut"), 8), 5000);
    const foreign = (await findCheckpoint(path("other"), "latest"))!;
    const data = ["--data", path("images")];
    const cases: [string[], string][] = [
      [[path("nothing"), ...data], "Cannot train into"],
      [[path("run")], "--data is missing"],
      [[path("run"), ...data, "--learning-rate", "3"], "--learning-rate is 3, the run's is"],
      [[path("run"), ...data], "are not those it was trained on"],
      [[path("run"), ...data, "--from", foreign], "it is of cifar10-18pct, the run is of lenet5"],
      [[path("other"), ...data], "it is of cifar10-18pct, the run is of lenet5"],
      [[path("cut"), ...data], `it was truncated or altered (the one before: ./topfive train`],
      [[path("run"), ...data, "--from", "previous"], "it has one alone"],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await run("--resume", ...args);
      assertEquals(code, 1, stderr);
      assertStringIncludes(stderr, message);
    }
    // The previous one is whole: it is the data, which this run was never trained on, that is refused.
    const previous = await run("--resume", path("cut"), ...data, "--from", "previous");
    assertStringIncludes(previous.stderr, "are not those it was trained on");
  });
});

Deno.test("lockRun() lets one in at a time, and the next when that one is gone", async () => {
  await inFolder(async (path) => {
    await writeRun(path("run"));
    {
      using _lock = await lockRun(path("run"));
      const { code, stderr } = await run("--resume", path("run"), "--data", path("images"));
      assertEquals(code, 1);
      assertStringIncludes(stderr, `process ${Deno.pid} is training there`);
    }
    (await lockRun(path("run")))[Symbol.dispose]();
  });
});
