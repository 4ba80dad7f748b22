import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { formatDuration, formatProgress } from "./progress.ts";

Deno.test("formatDuration() counts seconds, minutes and hours", () => {
  const cases: [number, string][] = [
    [0, "0:00"],
    [7, "0:07"],
    [59.4, "0:59"],
    [59.6, "1:00"],
    [750, "12:30"],
    [3599.5, "1:00:00"],
    [3600, "1:00:00"],
    [11105, "3:05:05"],
    [360000, "100:00:00"],
    [-3, "0:00"],
  ];
  for (const [seconds, text] of cases) assertEquals(formatDuration(seconds), text);
});

Deno.test("formatDuration() says so where the time is not known", () => {
  assertEquals(formatDuration(Number.NaN), "?");
  assertEquals(formatDuration(Infinity), "?");
});

Deno.test("formatProgress() shows epoch, step, loss, error, rate and time left", () => {
  const progress = {
    epoch: 2,
    epochs: 30,
    step: 105,
    steps: 1500,
    loss: 1.23456,
    top1Error: 0.4567,
    imagesPerSecond: 43.21,
    secondsLeft: 65,
  };
  assertEquals(
    formatProgress(progress),
    "epoch 2/30  step 105/1500  loss 1.2346  error 45.7 %  43.2 images/s  1:05 left",
  );
  assert(formatProgress({ ...progress, imagesPerSecond: 1234.5 }).includes("  1235 images/s  "));
});

Deno.test("ProgressLine writes whole lines to stderr in a log, not one an update", async () => {
  const module = fromFileUrl(new URL("progress.ts", import.meta.url));
  const script = `import { ProgressLine } from ${JSON.stringify(module)};
    const line = new ProgressLine();
    line.update("first"); line.update("second"); line.print("kept"); line.update("third");`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", script],
    env: { NO_COLOR: "1" },
  }).output();
  assertEquals(new TextDecoder().decode(stdout), "");
  assertEquals(new TextDecoder().decode(stderr), "first\nkept\n");
});
