import { assert, assertAlmostEquals, assertEquals, assertLess, assertRejects } from "@std/assert";
import type { Config } from "./config.ts";
import { evaluate } from "./evaluator.ts";
import { tinyConfig, tinyDataset, tinyEngine } from "./fixtures/tiny.ts";
import { type Gpu, openGpu } from "./gpu/device.ts";
import type { TrainingProgress } from "./progress.ts";
import { SCHEDULE_START } from "./schedule.ts";
import { type EpochRecord, train, type TrainingState } from "./trainer.ts";

interface Watch {
  readonly signal?: AbortSignal;
  onProgress?(progress: TrainingProgress): void;
  onEpoch?(record: EpochRecord, state: TrainingState): Promise<void>;
}

/** Trains the tiny network and keeps all that training said. */
async function trainTiny(gpu: Gpu, settings: Partial<Config>, watch: Watch = {}) {
  const config = tinyConfig(settings);
  const dataset = tinyDataset();
  const engine = await tinyEngine(gpu, dataset, config);
  const records: EpochRecord[] = [];
  const states: TrainingState[] = [];
  try {
    const end = await train({
      engine,
      dataset,
      config,
      signal: watch.signal ?? new AbortController().signal,
      onProgress: watch.onProgress ?? (() => {}),
      onEpoch: async (record, state) => {
        records.push(record);
        states.push(state);
        await watch.onEpoch?.(record, state);
      },
    });
    return { end, records, states, parameters: await engine.readParameters() };
  } finally {
    engine.close();
  }
}

/** Each test opens a device of its own, because Deno counts what a test leaves open. */
function gpuTest(name: string, body: (gpu: Gpu) => Promise<void>): void {
  Deno.test(name, async () => {
    const gpu = await openGpu();
    try {
      await body(gpu);
    } finally {
      gpu.close();
    }
  });
}

gpuTest(
  "train() gives the same parameters to the bit for the same seed, others for another",
  async (gpu) => {
    const settings = { flip: true, warmupSteps: 3 };
    const first = await trainTiny(gpu, { ...settings, seed: 7 });
    const second = await trainTiny(gpu, { ...settings, seed: 7 });
    const other = await trainTiny(gpu, { ...settings, seed: 8 });
    assertEquals(second.parameters, first.parameters);
    second.records.forEach(({ trainingLoss, validation }, epoch) => {
      assertEquals(validation, first.records[epoch]!.validation);
      // Summed in float32 from look to look, and the clock says when to look.
      assertAlmostEquals(trainingLoss, first.records[epoch]!.trainingLoss, 1e-5);
    });
    for (const [name, values] of first.parameters) {
      assert(values.some((value, i) => value !== other.parameters.get(name)![i]), name);
    }
  },
);

gpuTest("train() learns, and reports each epoch where it ended", async (gpu) => {
  const { end, records, states } = await trainTiny(gpu, { epochs: 8, randomCrop: false });
  // 50 images make 6 steps of 8; the 2 left over are dropped.
  assertEquals(
    records.map(({ epoch, step }) => [epoch, step]),
    [1, 2, 3, 4, 5, 6, 7, 8].map((n) => [n, 6 * n]),
  );
  assertEquals(states.at(-1), end);
  assertEquals(end, {
    step: 48,
    loader: { epoch: 8, offset: 0 },
    schedule: SCHEDULE_START,
  });
  for (const { learningRate, imagesPerSecond, validation } of records) {
    assertEquals([learningRate, validation.images], [0.05, 13]);
    assert(imagesPerSecond > 0 && Number.isFinite(imagesPerSecond));
  }
  const last = records.at(-1)!;
  assertLess(last.trainingLoss, records[0]!.trainingLoss / 2);
  assertLess(last.validation.top1Error, 0.2);
});

gpuTest("train() counts every training image of an epoch once", async (gpu) => {
  // With weights that stand still and no chance in the input, an epoch is an evaluation.
  const config = tinyConfig({ epochs: 2, learningRate: 1e-30, randomCrop: false, batchSize: 10 });
  const dataset = tinyDataset(50);
  const engine = await tinyEngine(gpu, dataset, { ...config });
  const parameters = await engine.readParameters();
  parameters.get("fc.bias")!.set([0.5, -1, 0, 2, 1, -0.5]);
  parameters.get("fc.weight")!.fill(0);
  engine.loadParameters(parameters);
  const expected = await evaluate(engine, dataset.train);
  const records: EpochRecord[] = [];
  await train({
    engine,
    dataset,
    config,
    signal: new AbortController().signal,
    onProgress: () => {},
    onEpoch: (record) => Promise.resolve(void records.push(record)),
  });
  engine.close();
  assertEquals(expected.images, 50);
  for (const { trainingLoss, trainingError } of records) {
    assertAlmostEquals(trainingLoss, expected.loss, 1e-6);
    assertEquals(trainingError, expected.top1Error);
  }
});

gpuTest("train() stops after the step in hand when the signal is set", async (gpu) => {
  const controller = new AbortController();
  let seen = 0;
  const { end, records } = await trainTiny(gpu, { epochs: 1000 }, {
    signal: controller.signal,
    onEpoch: () => Promise.resolve(),
    onProgress: ({ step }) => {
      seen = step;
      if (step > 8) controller.abort();
    },
  });
  assertEquals(end.step, seen);
  assertLess(end.step, 6 * 1000);
  assertEquals(records.length, Math.floor(end.step / 6));
  assertEquals(end.loader, { epoch: Math.floor(end.step / 6), offset: 8 * (end.step % 6) });
});

gpuTest(
  "train() on a plateau divides the rate and then stops before its epochs end",
  async (gpu) => {
    // With weights that stand still the error never improves: one best epoch, then patience twice.
    const settings = { learningRate: 1e-30, schedule: "plateau", patience: 2, drops: 1 } as const;
    const { end, records, states } = await trainTiny(gpu, { ...settings, epochs: 50 });
    assertEquals(
      records.map(({ learningRate }) => learningRate),
      [1, 1, 1, 0.1, 0.1].map((x) => x * 1e-30),
    );
    assertEquals(states.map(({ schedule }) => schedule.drops), [0, 0, 1, 1, 1]);
    assertEquals([end.step, end.schedule.finished], [5 * 6, true]);
  },
);

gpuTest("train() does nothing when the signal is set before", async (gpu) => {
  const { end, records } = await trainTiny(gpu, {}, { signal: AbortSignal.abort() });
  assertEquals([end.step, records], [0, []]);
});

gpuTest("train() stops with the step and the way out when the loss is no number", async (gpu) => {
  let epochs = 0;
  await assertRejects(
    () => trainTiny(gpu, { learningRate: 1e9 }, { onEpoch: () => Promise.resolve(void epochs++) }),
    Error,
    "Cannot go on training: the loss is ",
  );
  assertEquals(epochs, 0, "an epoch was reported, and its checkpoint saved");
});

gpuTest("train() refuses an epoch after which the weights are no numbers", async (gpu) => {
  // The only step's loss is finite: it is computed before the update that destroys the weights.
  let epochs = 0;
  const watch = { onEpoch: () => Promise.resolve(void epochs++) };
  await assertRejects(
    () => trainTiny(gpu, { batchSize: 50, epochs: 1, learningRate: 1e38 }, watch),
    Error,
    "at step 1 (lower the learning rate)",
  );
  assertEquals(epochs, 0);
});

gpuTest("train() passes on what goes wrong while an epoch is kept", async (gpu) => {
  const full = new Error("Cannot write: no space left on device");
  const error = await assertRejects(
    () => trainTiny(gpu, {}, { onEpoch: () => Promise.reject(full) }),
    Error,
  );
  assertEquals(error, full);
});
