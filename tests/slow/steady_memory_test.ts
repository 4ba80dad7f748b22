// A long training keeps its memory: nothing that a step makes may stay. Minutes, so `--slow` alone.
import { assert } from "@std/assert";
import { drawCrops } from "../../training/augment/draw.ts";
import { openGpu } from "../../training/gpu/device.ts";
import { Engine } from "../../training/graph/engine.ts";
import { initialValues } from "../../training/graph/parameters.ts";
import { MODELS } from "../../training/models/models.ts";

const BATCH = 8;
const SIDE = 30;
const EARLY = 1_000;
const LATE = 10_000;
/** As the trainer looks at the loss: what is queued stays bounded. */
const STEPS_PER_LOOK = 50;
const STEPS_PER_SAMPLE = 100;
/** Of some 300 MB: steps that kept two kilobytes each would grow by that in half of the training. */
const MOST_GROWTH = 0.03;

/** Memory breathes with each garbage collection: its floor tells whether something stays. */
function floor(samples: ReadonlyMap<number, number>, from: number, to: number): number {
  return Math.min(...[...samples].filter(([step]) => step >= from && step <= to).map(([, b]) => b));
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

Deno.test(`Engine's memory is the same after ${LATE} steps as after ${EARLY}`, async () => {
  const gpu = await openGpu();
  const { build, crop, channels } = MODELS.lenet5;
  const preprocess = { side: SIDE, crop, channels, mean: [120], std: [60] };
  const engine = await Engine.create(gpu, build(10), {
    batch: BATCH,
    preprocess,
    momentum: 0.9,
    decay: 0,
  });
  try {
    engine.loadParameters(initialValues(engine.arena, 1));
    const records = Uint8Array.from({ length: BATCH * SIDE ** 2 }, (_, i) => i * 31 % 251);
    const labels = Uint32Array.from({ length: BATCH }, (_, i) => i);
    const crops = new Uint32Array(BATCH);
    const resident = new Map<number, number>();
    for (let step = 1; step <= LATE; step++) {
      drawCrops(crops, preprocess, { randomCrop: true, flip: false }, { seed: 1, step });
      engine.trainStep({ records, labels, crops }, { learningRate: 0.001, seed: 1, step });
      if (step % STEPS_PER_LOOK === 0) await engine.takeTotals();
      if (step % STEPS_PER_SAMPLE === 0) resident.set(step, Deno.memoryUsage().rss);
      if (step === EARLY || step === LATE) {
        console.log(`step ${step}: ${megabytes(resident.get(step)!)} resident`);
      }
    }
    const middle = (EARLY + LATE) / 2;
    const [early, late] = [floor(resident, EARLY, middle), floor(resident, middle, LATE)];
    const text = `floor ${megabytes(early)} from step ${EARLY}, ${megabytes(late)} from ${middle}`;
    console.log(text);
    assert(late <= (1 + MOST_GROWTH) * early, text);
  } finally {
    engine.close();
    gpu.close();
  }
});
