// `topfive schedule` as a process: it starts real retrainings, says so, and ends cleanly.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { drawImages, inFolder } from "../training/fixtures/drawn_run.ts";
import { TopfiveProcess } from "./topfive_process.ts";

type Line = { event: string; why?: string; exitCode?: number; retrained?: { images?: number } };

function linesOf(text: string): Line[] {
  return text.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
}

Deno.test("topfive schedule retrains at each window and ends with 0 at SIGTERM", async () => {
  await inFolder(async (path) => {
    await Deno.mkdir(path("store"));
    const args = ["schedule", "shapes", "--store", path("store"), "--json"];
    // Every second: what a retraining takes passes several windows.
    await using process = new TopfiveProcess(".", [...args, "--cron", "* * * * * *"]);
    await process.printed(
      "stderr",
      /Cannot retrain shapes: there is nothing below incoming\/shapes/,
    );
    await process.printed("stdout", /"event":"ended","exitCode":1[^]*"event":"begins"/);
    process.signal("SIGTERM");
    const { code, stdout } = await process.finished();
    assertEquals(code, 0);
    const begins = linesOf(stdout).filter(({ event }) => event === "begins");
    assert(begins.every(({ why }) => why!.startsWith("window of ")), stdout);
    assert(linesOf(stdout).some(({ event }) => event === "stopping"));
  });
});

Deno.test("topfive schedule --once --new-images begins by event, with retrain's own options", async () => {
  await inFolder(async (path) => {
    await drawImages(path("drawn"));
    const once = (least: number) =>
      new TopfiveProcess(".", [
        ...["schedule", "shapes", "--store", path("store"), "--cron", "0 3 1 1 *", "--once"],
        ...["--json", "--new-images", String(least), "--", "--dry-run", "--work", path("work")],
      ]).finished();
    for await (const folder of Deno.readDir(path("drawn/train"))) {
      const incoming = join(path("store"), "incoming", "shapes", folder.name);
      await Deno.mkdir(incoming, { recursive: true });
      for await (const { name } of Deno.readDir(join(path("drawn/train"), folder.name))) {
        await Deno.copyFile(join(path("drawn/train"), folder.name, name), join(incoming, name));
      }
    }
    const waits = await once(41);
    assertEquals([waits.code, linesOf(waits.stdout)], [0, []], waits.stderr);
    const begun = await once(40);
    const lines = linesOf(begun.stdout);
    assertEquals(lines[0]?.why, "40 new images", begun.stderr);
    assertEquals(lines.find(({ event }) => event === "outcome")?.retrained?.images, 40);
    const ended = lines.find(({ event }) => event === "ended");
    assertEquals(ended?.exitCode, begun.code, "the code of the retraining is that of the schedule");
  });
});

Deno.test("topfive schedule refuses what topfive retrain would refuse at night", async () => {
  const wrong = ["schedule", "pets", "--store", "s", "--cron", "0 3 * * *", "--", "--epochs", "x"];
  const { code, stderr } = await new TopfiveProcess(".", wrong).finished();
  assertEquals(code, 2);
  assertStringIncludes(stderr, "Try: topfive schedule --help");
});
