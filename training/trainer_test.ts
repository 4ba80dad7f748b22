import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertLess,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import type { Config } from "./config.ts";
import { statisticsOf } from "./dataset/statistics.ts";
import { evaluate } from "./evaluator.ts";
import { tinyConfig, tinyDataset, tinyEngine } from "./fixtures/tiny.ts";
import { type Gpu, openGpu } from "./gpu/device.ts";
import type { ParameterValues } from "./graph/parameters.ts";
import type { StepTotals } from "./graph/step_totals.ts";
import { SCHEDULE_START } from "./schedule.ts";
import { train } from "./trainer.ts";
import type { CheckpointPolicy } from "./trainer/checkpoint_clock.ts";
import { NonFiniteLossError } from "./trainer/loss_watch.ts";
import type { EpochRecord, StepRecord, TrainingObserver } from "./trainer/training_observer.ts";
import type { TrainingState } from "./training_state.ts";

/** All that going on takes. */
interface Saved {
  readonly state: TrainingState;
  readonly parameters: ParameterValues;
  readonly momenta: ParameterValues;
}

interface Watch {
  readonly signal?: AbortSignal;
  readonly observer?: TrainingObserver;
  readonly checkpoints?: CheckpointPolicy;
  readonly from?: Saved;
  onCheckpoint?(state: TrainingState): Promise<void>;
}

/** Trains the tiny network and keeps all that training said. */
async function trainTiny(gpu: Gpu, settings: Partial<Config>, watch: Watch = {}) {
  const config = tinyConfig(settings);
  const dataset = tinyDataset();
  const engine = await tinyEngine(gpu, dataset, config);
  const { signal = new AbortController().signal, observer = {}, checkpoints = {}, from } = watch;
  if (from) {
    engine.loadParameters(from.parameters);
    engine.loadMomenta(from.momenta);
  }
  const records: EpochRecord[] = [];
  const losses: StepTotals[] = [];
  const saved: Saved[] = [];
  const save = async (state: TrainingState): Promise<Saved> => ({
    state,
    parameters: await engine.readParameters(),
    momenta: await engine.readMomenta(),
  });
  try {
    const state = await train({
      engine,
      dataset,
      config,
      colorComponents: statisticsOf(dataset.train, 1).eigen,
      ...(from ? { start: from.state } : {}),
      signal,
      checkpoints,
      observers: [observer, {
        onEpoch: (record) => void records.push(record),
        onTotals: (steps) => void losses.push(...steps),
      }],
      onCheckpoint: async (state) => {
        saved.push(await save(state));
        await watch.onCheckpoint?.(state);
      },
    });
    return { end: await save(state), records, losses, saved };
  } finally {
    engine.close();
  }
}

/** What the clock does not decide. */
function timeless(records: readonly EpochRecord[]) {
  return records.map(({ imagesPerSecond: _, ...rest }) => rest);
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
  "train() gives the same parameters and records to the bit for the same seed, others for another",
  async (gpu) => {
    const settings = { flip: true, warmupSteps: 3 };
    const first = await trainTiny(gpu, { ...settings, seed: 7 });
    const second = await trainTiny(gpu, { ...settings, seed: 7 });
    const other = await trainTiny(gpu, { ...settings, seed: 8 });
    assertEquals(second.end, first.end);
    assertEquals(timeless(second.records), timeless(first.records));
    for (const [name, values] of first.end.parameters) {
      assert(values.some((value, i) => value !== other.end.parameters.get(name)![i]), name);
    }
  },
);

gpuTest(
  "train() in float16 learns what it learns in float32, the same bits each time",
  async (gpu) => {
    const settings = { epochs: 6, learningRate: 0.02 };
    const half = await trainTiny(gpu, { ...settings, precision: "f16" });
    const again = await trainTiny(gpu, { ...settings, precision: "f16" });
    const whole = await trainTiny(gpu, settings);
    assertEquals(again.end, half.end);
    const [first, last, expected] = [
      half.records[0]!,
      half.records.at(-1)!,
      whole.records.at(-1)!,
    ];
    assertLess(last.trainingLoss, 0.8 * first.trainingLoss);
    assertAlmostEquals(last.validation.loss, expected.validation.loss, 0.1);
    assertAlmostEquals(last.validation.top1Error, expected.validation.top1Error, 0.05);
    assertNotEquals(half.end.parameters, whole.end.parameters);
  },
);

gpuTest(
  "train() goes on from an epoch's start, middle and end to the bit, its records and losses too",
  async (gpu) => {
    // 6 steps an epoch.
    const settings = {
      epochs: 3,
      flip: true,
      warmupSteps: 4,
      schedule: "cosine",
      decay: 1e-3,
      colorNoise: 0.1,
    } as const;
    const whole = await trainTiny(gpu, settings, { checkpoints: { everySteps: 1 } });
    assertEquals(
      whole.saved.map(({ state }) => state.step),
      Array.from({ length: 18 }, (_, i) => i + 1),
    );
    for (const step of [1, 5, 6, 12, 16]) {
      const from = whole.saved[step - 1]!;
      const rest = await trainTiny(gpu, settings, { from: structuredClone(from) });
      assertEquals(rest.end, whole.end, `from step ${step}`);
      const later = whole.records.filter((record) => record.step > step);
      assertEquals(timeless(rest.records), timeless(later), `from step ${step}`);
      assertEquals(rest.losses, whole.losses.slice(step), `from step ${step}`);
    }
  },
);

gpuTest("train() goes on from another's checkpoints to other weights", async (gpu) => {
  // The guard of the test above: without momenta, or at another step, the end differs.
  const settings = { epochs: 2, flip: true };
  const whole = await trainTiny(gpu, settings, { checkpoints: { everySteps: 4 } });
  const from = whole.saved[0]!;
  const still = new Map(
    [...from.momenta].map(([name, { length }]) => [name, new Float32Array(length)]),
  );
  const later = { ...from.state, step: from.state.step + 1 };
  for (const other of [{ ...from, momenta: still }, { ...from, state: later }]) {
    const { end } = await trainTiny(gpu, settings, { from: other });
    assertNotEquals(end.parameters, whole.end.parameters);
  }
});

gpuTest("train() keeps a checkpoint where the minutes are over", async (gpu) => {
  const { saved } = await trainTiny(gpu, { epochs: 1 }, { checkpoints: { everyMinutes: 0 } });
  assertEquals(saved.map(({ state }) => state.step), [1, 2, 3, 4, 5, 6]);
});

gpuTest("train() learns, and reports each epoch where it ended", async (gpu) => {
  const { end, records, saved } = await trainTiny(gpu, { epochs: 8, randomCrop: false });
  // 50 images make 6 steps of 8; the 2 left over are dropped.
  assertEquals(
    records.map(({ epoch, step }) => [epoch, step]),
    [1, 2, 3, 4, 5, 6, 7, 8].map((n) => [n, 6 * n]),
  );
  assertEquals(saved.at(-1), end);
  const least = Math.min(...records.map(({ validation }) => validation.top1Error));
  const { epoch, step } = records.find(({ validation }) => validation.top1Error === least)!;
  assertEquals(end.state, {
    step: 48,
    loader: { epoch: 8, offset: 0 },
    epoch: { images: 0, loss: 0, top1Errors: 0, top5Errors: 0 },
    best: { epoch, step, top1Error: least },
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
    observers: [{ onEpoch: (record) => void records.push(record) }],
  });
  engine.close();
  assertEquals(expected.images, 50);
  for (const { trainingLoss, trainingError } of records) {
    assertAlmostEquals(trainingLoss, expected.loss, 1e-6);
    assertEquals(trainingError, expected.top1Error);
  }
});

gpuTest("train() tells an observer each step once, with its rate", async (gpu) => {
  const steps: StepRecord[] = [];
  const observer = { onStep: (step: StepRecord) => void steps.push(step) };
  await trainTiny(gpu, { epochs: 2, warmupSteps: 2 }, { observer });
  assertEquals(steps.map(({ step }) => step), Array.from({ length: 12 }, (_, i) => i + 1));
  assertEquals(steps.map(({ epoch }) => epoch), [...Array(6).fill(1), ...Array(6).fill(2)]);
  assertEquals(
    steps.slice(0, 5).map(({ learningRate }) => learningRate),
    [0.025, 0.05, 0.05, 0.05, 0.05],
  );
});

gpuTest(
  "train() stops after the step in hand when the signal is set, and keeps it",
  async (gpu) => {
    const controller = new AbortController();
    let seen = 0;
    const observer = {
      onStep: ({ step }: StepRecord) => {
        seen = step;
        if (step === 10) controller.abort();
      },
    };
    const { end: { state }, records, saved } = await trainTiny(gpu, { epochs: 1000 }, {
      signal: controller.signal,
      observer,
    });
    assertEquals([state.step, seen, records.length], [10, 10, 1]);
    assertEquals([state.loader, state.epoch.images], [{ epoch: 1, offset: 32 }, 32]);
    assertEquals(saved.map(({ state }) => state.step), [6, 10]);
  },
);

gpuTest("train() stopped at an epoch's end evaluates it when it goes on", async (gpu) => {
  const controller = new AbortController();
  const observer = { onStep: ({ step }: StepRecord) => void (step === 12 && controller.abort()) };
  const watch = { signal: controller.signal, observer };
  const first = await trainTiny(gpu, { epochs: 3 }, watch);
  assertEquals([first.end.state.step, first.end.state.epoch.images], [12, 48]);
  const second = await trainTiny(gpu, { epochs: 3 }, { from: first.end });
  const whole = await trainTiny(gpu, { epochs: 3 });
  assertEquals(timeless([...first.records, ...second.records]), timeless(whole.records));
  assertEquals(second.end, whole.end);
});

gpuTest(
  "train() on a plateau divides the rate and then stops before its epochs end",
  async (gpu) => {
    // With weights that stand still the error never improves: one best epoch, then patience twice.
    const settings = {
      learningRate: 1e-30,
      schedule: "plateau",
      patience: 2,
      drops: 1,
      epochs: 50,
    } as const;
    const { end, records, saved } = await trainTiny(gpu, settings);
    assertEquals(
      records.map(({ learningRate }) => learningRate),
      [1, 1, 1, 0.1, 0.1].map((x) => x * 1e-30),
    );
    assertEquals(saved.map(({ state }) => state.schedule.drops), [0, 0, 1, 1, 1]);
    assertEquals([end.state.step, end.state.schedule.finished], [5 * 6, true]);
    // Where it stands on the plateau goes on too.
    const rest = await trainTiny(gpu, settings, { from: saved[2]! });
    assertEquals(timeless(rest.records), timeless(records.slice(3)));
    assertEquals(rest.end, end);
  },
);

gpuTest("train() does nothing when the signal is set before", async (gpu) => {
  const { end, records, saved } = await trainTiny(gpu, {}, { signal: AbortSignal.abort() });
  assertEquals([end.state.step, records, saved], [0, [], []]);
});

gpuTest("train() stops with the step and the way out when the loss is no number", async (gpu) => {
  let epochs = 0;
  await assertRejects(
    () => trainTiny(gpu, { learningRate: 1e9 }, { observer: { onEpoch: () => void epochs++ } }),
    NonFiniteLossError,
    "Cannot go on training: the loss is ",
  );
  assertEquals(epochs, 0, "an epoch was reported, and its checkpoint saved");
});

gpuTest("train() refuses an epoch after which the weights are no numbers", async (gpu) => {
  // The only step's loss is finite: it is computed before the update that destroys the weights.
  let epochs = 0;
  const watch = { observer: { onEpoch: () => void epochs++ } };
  await assertRejects(
    () => trainTiny(gpu, { batchSize: 50, epochs: 1, learningRate: 1e38 }, watch),
    NonFiniteLossError,
    "on the validation images after step 1",
  );
  assertEquals(epochs, 0);
});

gpuTest("train() passes on what goes wrong while an epoch is kept", async (gpu) => {
  const full = new Error("Cannot write: no space left on device");
  for (
    const watch of [
      { onCheckpoint: () => Promise.reject(full) },
      { observer: { onEpoch: () => Promise.reject(full) } },
    ]
  ) {
    assertEquals(await assertRejects(() => trainTiny(gpu, {}, watch), Error), full);
  }
});
