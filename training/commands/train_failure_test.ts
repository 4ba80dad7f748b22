import { assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { inFolder, writeRun } from "../fixtures/drawn_run.ts";
import { tinyConfig, tinyDataset, tinyEngine, tinyGraph } from "../fixtures/tiny.ts";
import { type Gpu, openGpu } from "../gpu/device.ts";
import { train } from "../trainer.ts";
import type { StepRecord } from "../trainer/training_observer.ts";
import { explainStop, MemoryAdvice } from "./train_failure.ts";

const adviceFor = (gpu: Gpu) =>
  new MemoryAdvice({
    ...{ graph: tinyGraph(), gpu, precision: "f32", partSize: 8, recordBytes: 100 },
  });

Deno.test("explainStop() of a lost device says what smaller parts take, and the way on", async () => {
  const gpu = await openGpu();
  const dataset = tinyDataset();
  const config = tinyConfig({ epochs: 100 });
  const engine = await tinyEngine(gpu, dataset, config);
  const error = await assertRejects(() =>
    train({
      engine,
      dataset,
      config,
      signal: new AbortController().signal,
      observers: [{ onStep: ({ step }: StepRecord) => void (step === 9 && gpu.device.destroy()) }],
    })
  );
  await inFolder(async (path) => {
    await writeRun(path("run"));
    const memory = adviceFor(gpu);
    const { message } = await explainStop(error, path("run"), gpu, memory);
    assertMatch(
      message,
      /8 images at a time take \d.*; of the same batch in parts, --micro-batch 4 \d/,
    );
    assertStringIncludes(message, `go on with ./topfive train --resume ${path("run")}`);
    assertStringIncludes(message, "The GPU was lost");
  });
  gpu.close();
});
