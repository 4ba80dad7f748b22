import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { readFixture } from "../../tests/fixtures/read_fixture.ts";
import { memorySplit } from "../dataset/dataset.ts";
import { evaluate } from "../evaluator.ts";
import { openGpu } from "../gpu/device.ts";
import { Engine } from "../graph/engine.ts";
import { cifar10EighteenPercent } from "../models/cifar10_18pct.ts";
import { predictSplit } from "./engine_predictor.ts";
import { scoresOf } from "./scores.ts";
import { VIEW_COUNTS, viewsOf } from "./views.ts";

const CLASSES = 10;

/** The network and the records of the fixture `views`, in batches that the records do not fill. */
async function fixtureEngine(batch: number) {
  const gpu = await openGpu();
  const { attributes, tensors } = await readFixture("views");
  const { side, crop, mean, std } = attributes as {
    side: number;
    crop: number;
    mean: number[];
    std: number[];
  };
  const preprocess = { side, crop, channels: 3, mean, std } as const;
  const engine = await Engine.create(gpu, cifar10EighteenPercent.build(CLASSES), {
    ...{ batch, preprocess, momentum: 0, decay: 0 },
  });
  const weights = [...(await readFixture("cifar10_18pct")).tensors]
    .filter(([name]) => name.startsWith("parameter/"))
    .map(([name, { data }]) => [name.slice("parameter/".length), data] as const);
  engine.loadParameters(new Map(weights));
  const records = Uint8Array.from(tensors.get("records")!.data);
  const labels = Uint32Array.from({ length: 7 }, (_, i) => 3 * i % CLASSES);
  return { gpu, engine, preprocess, split: memorySplit(records, labels), tensors };
}

for (const count of VIEW_COUNTS) {
  Deno.test(`predictSplit() over ${count} views equals PyTorch`, async () => {
    const { gpu, engine, preprocess, split, tensors } = await fixtureEngine(2);
    const seen: number[] = [];
    const answers = await predictSplit(engine, CLASSES, split, {
      views: viewsOf(count, preprocess),
      onProgress: (images) => seen.push(images),
    });
    engine.close();
    gpu.close();
    const expected = tensors.get(`probabilities/${count}`)!.data;
    assertEquals(answers.length, expected.length);
    const error = Math.max(...answers.map((p, i) => Math.abs(p - expected[i]!)));
    assert(error < 1e-5, `probabilities differ by ${error}`);
    assertEquals(seen.at(-1), 7);
  });
}

Deno.test("predictSplit() and evaluate() count alike", async () => {
  const { gpu, engine, preprocess, split } = await fixtureEngine(3);
  const views = viewsOf(1, preprocess);
  const { loss, top1Error, top5Error } = scoresOf(
    await predictSplit(engine, CLASSES, split, { views }),
    split.labels,
    CLASSES,
  );
  const counted = await evaluate(engine, split);
  engine.close();
  gpu.close();
  assertAlmostEquals(loss, counted.loss, 1e-5);
  assertEquals([top1Error, top5Error], [counted.top1Error, counted.top5Error]);
});
