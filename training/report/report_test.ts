import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { captured } from "../fixtures/captured.ts";
import { inFolder, writeRun } from "../fixtures/drawn_run.ts";
import { reportCommand } from "../commands/report_command.ts";
import { parseMetrics, type StepMetrics } from "../metrics/step_metrics.ts";
import { appendMetrics } from "../run_folder.ts";
import { kernelTimesOf } from "./kernel_times.ts";

const norms = { "conv1.weight": { weight: 2, gradient: 0.5, update: 0.01 } };
const STEP: StepMetrics = {
  kind: "step",
  step: 20,
  epoch: 1,
  learningRate: 0.02,
  loss: 2,
  top1Error: 0.8,
  imagesPerSecond: null,
  time: 1_764_000_000,
  norms,
};
const EPOCH = {
  ...{ epoch: 1, step: 25, learningRate: 0.02, trainingLoss: 2.1, trainingError: 0.8 },
  ...{ imagesPerSecond: 300, validation: { images: 9, loss: 1, top1Error: 0.4, top5Error: 0.1 } },
};

/** The JSON that a page is drawn from. */
function dataOf(page: string) {
  const [, json] = /<script type="application\/json" id="runs">([^]*?)<\/script>/.exec(page)!;
  return JSON.parse(json!);
}

Deno.test("reportCommand() writes one page of several runs that asks nothing of the network", async () => {
  await inFolder(async (path) => {
    for (const name of ["a", "b"]) {
      await writeRun(path(name));
      await appendMetrics(path(name), STEP);
      await appendMetrics(path(name), EPOCH);
    }
    const out = path("compared.html");
    const { code, stdout } = await captured(() =>
      reportCommand([path("a"), path("b"), "--out", out])
    );
    assertEquals([code, stdout], [0, out]);
    const page = await Deno.readTextFile(out);
    assertStringIncludes(page, "<title>2 runs compared</title>");
    assertStringIncludes(page, `content="default-src 'none'`);
    assert(!/(src|href)\s*=\s*["']?(https?:)?\/\//.test(page), "the page loads something");
    assertEquals(/[A-Z]+_HERE/.exec(page), null);
    const [a, b] = dataOf(page).runs;
    assertEquals([a.name, b.name], ["a", "b"]);
    assertEquals(a.metrics, { steps: [STEP], epochs: [EPOCH] });
    assertEquals([a.filters.name, a.filters.count, a.filters.size], ["conv1.weight", 6, 5]);
  });
});

Deno.test("reportCommand() keeps a name that looks like markup a name", async () => {
  await inFolder(async (path) => {
    await writeRun(path("run"), { classes: ["</script><b>", "STYLE_HERE"] });
    assertEquals((await captured(() => reportCommand([path("run")]))).code, 0);
    const page = await Deno.readTextFile(path("run/report.html"));
    assertEquals(dataOf(page).runs[0].run.classes, ["</script><b>", "STYLE_HERE"]);
  });
});

Deno.test("parseMetrics() reads lines of steps and of epochs, and leaves a cut one out", () => {
  const text = [STEP, EPOCH].map((line) => JSON.stringify(line)).join("\n") + '\n{"kind":"st';
  assertEquals(parseMetrics(text), { steps: [STEP], epochs: [EPOCH] });
});

Deno.test("kernelTimesOf() gives the mean of a trace's steps, the longest first", () => {
  const event = (name: string, tid: number, dur: number, step: number) => (
    { name, ph: "X", tid, dur, args: { step } }
  );
  const traceEvents = [
    { name: "thread_name", ph: "M", tid: 1, args: { name: "forward" } },
    ...[event("conv1", 1, 1000, 0), event("conv1", 2, 5000, 0), event("conv1", 1, 3000, 1)],
    event("conv1", 2, 7000, 1),
  ];
  assertEquals(kernelTimesOf({ traceEvents }), [
    { name: "conv1 backward", milliseconds: 6, share: 0.75 },
    { name: "conv1 forward", milliseconds: 2, share: 0.25 },
  ]);
});
