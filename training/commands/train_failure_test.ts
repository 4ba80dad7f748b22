import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { inFolder, writeRun } from "../fixtures/drawn_run.ts";
import { tinyConfig, tinyDataset, tinyEngine, tinyGraph } from "../fixtures/tiny.ts";
import { type Gpu, openGpu } from "../gpu/device.ts";
import { OutOfGpuMemoryError } from "../gpu/memory.ts";
import { train } from "../trainer.ts";
import type { StepRecord } from "../trainer/training_observer.ts";
import { explainStop, MemoryAdvice, withMemory } from "./train_failure.ts";

const adviceFor = (
  gpu: Gpu,
  tryParts: (gpu: Gpu, images: number) => Promise<void> = () => Promise.resolve(),
) =>
  new MemoryAdvice({
    ...{ graph: tinyGraph(), gpu, precision: "f32", partSize: 8, recordBytes: 100, tryParts },
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

Deno.test("withMemory() of a refused allocation tries which part of a batch fits", async () => {
  const refused = new OutOfGpuMemoryError("The GPU was out of memory: no");
  const said = async (most: number) => {
    const tried: number[] = [];
    const gpu = await openGpu();
    const advice = adviceFor(gpu, (_, images) => {
      tried.push(images);
      return images > most ? Promise.reject(refused) : Promise.resolve();
    });
    const { message } = await withMemory(refused, advice);
    return { message, tried };
  };
  const fits = await said(2);
  assertMatch(fits.message, /^The GPU was out of memory: no\. 8 images at a time take/);
  assertMatch(fits.message, /what is free now is enough for --micro-batch 2$/);
  assertEquals(fits.tried, [4, 2]);
  const none = await said(0);
  assertMatch(none.message, /not enough for any part of it: end what else uses the GPU$/);
  assertEquals(none.tried, [4, 2, 1]);
});
