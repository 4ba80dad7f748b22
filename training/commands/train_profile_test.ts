import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readCheckpoint } from "../checkpoint/checkpoint.ts";
import { checkpointPath } from "../checkpoint/checkpoint_folder.ts";
import { captured } from "../fixtures/captured.ts";
import { drawImages, inFolder } from "../fixtures/drawn_run.ts";
import { trainCommand } from "./train_command.ts";

Deno.test("trainCommand() --profile trains the same weights and leaves a trace", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    const run = (out: string, ...more: string[]) =>
      captured(() =>
        trainCommand([
          ...["--model", "lenet5", "--data", path("images"), "--out", path(out)],
          ...["--epochs", "1", "--batch-size", "8", ...more],
        ])
      );
    const [plain, table, json] = [
      await run("plain"),
      await run("table", "--profile"),
      await run("json", "--profile", "--json"),
    ];
    assertEquals([plain.code, table.code, json.code], [0, 0, 0], table.stderr + json.stderr);

    const [first, second] = [
      await readCheckpoint(checkpointPath(path("plain"), 5)),
      await readCheckpoint(checkpointPath(path("table"), 5)),
    ];
    assertEquals(second.parameters, first.parameters);

    assertEquals(plain.stdout, "");
    assertMatch(table.stdout, /^layer +direction +ms +share +GFLOP\/s +GB\/s +of peak$/m);
    assertMatch(table.stdout, /^conv1 +backward +[\d.]+ +[\d.]+ % +[\d.]+ /m);
    // Five steps to the epoch: three warm up.
    assertStringIncludes(table.stdout, "GPU time of a step of 8 images, median of 2:");
    assertStringIncludes(table.stdout, path("table/trace.json"));

    const { profile } = JSON.parse(json.stdout.split("\n").at(-1)!);
    const sum = profile.rows.reduce((sum: number, row: { share: number }) => sum + row.share, 0);
    assert(Math.abs(sum - 1) < 1e-9, `shares add up to ${sum}`);
    const trace = JSON.parse(await Deno.readTextFile(path("json/trace.json")));
    const events = trace.traceEvents.filter(({ ph }: { ph: string }) => ph === "X");
    assertEquals(events.length, 2 * profile.dispatches.length);
  });
});

Deno.test("trainCommand() --profile says when training was too short for it", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    const { code, stdout, stderr } = await captured(() =>
      trainCommand([
        ...["--model", "lenet5", "--data", path("images"), "--out", path("run")],
        ...["--epochs", "1", "--batch-size", "20", "--profile"],
      ])
    );
    assertEquals([code, stdout], [0, ""]);
    assertStringIncludes(stderr, "warning: the training was too short to be profiled");
  });
});
