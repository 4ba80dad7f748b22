// The training graph and its ONNX file in ONNX Runtime, asked about every image of a split.
import { assert, assertEquals } from "@std/assert";
import { drawCrops } from "../training/augment/draw.ts";
import type { Dataset, Split } from "../training/dataset/dataset.ts";
import { openLoader } from "../training/dataset/loader.ts";
import { openDataset } from "../training/dataset/open_dataset.ts";
import { statisticsOf } from "../training/dataset/statistics.ts";
import { writeShapes } from "../training/dataset/shapes/write_shapes.ts";
import { predictSplit } from "../training/evaluation/engine_predictor.ts";
import { onnxPredictor } from "../training/evaluation/onnx_predictor.ts";
import { type ViewCount, viewsOf } from "../training/evaluation/views.ts";
import { openGpu } from "../training/gpu/device.ts";
import { Engine } from "../training/graph/engine.ts";
import { initialValues } from "../training/graph/parameters.ts";
import { type ModelName, MODELS } from "../training/models/models.ts";
import { exportOnnx } from "../training/onnx/export.ts";
import { encodeOnnx } from "../training/onnx/write.ts";

const MNIST = new URL("../../shared/data/mnist", import.meta.url).pathname;
const mnistExists = await Deno.stat(MNIST).then(() => true, () => false);

const BATCH = 40;
const TOP = 5;
/** Two probabilities whose quotient is this near to one are a tie: float32 may order them either way. */
const TIE = 1e-4;

/** Trains a little, and asks both about the split. */
async function askBoth(
  model: ModelName,
  dataset: Dataset,
  { split, views: count, steps }: { split: Split; views: ViewCount; steps: number },
) {
  const { crop, channels, build } = MODELS[model];
  const { side } = dataset;
  const { mean, std } = statisticsOf(dataset.train, channels);
  const preprocess = { side, crop, channels, mean, std };
  const graph = build(dataset.classes.length);
  const gpu = await openGpu();
  const engine = await Engine.create(gpu, graph, {
    ...{ batch: BATCH, preprocess, momentum: 0.9, decay: 0 },
  });
  engine.loadParameters(initialValues(engine.arena, 1));
  const loader = openLoader(dataset.train, { batchSize: BATCH, seed: 1 });
  const crops = new Uint32Array(BATCH);
  for (let step = 0; step < steps; step++) {
    drawCrops(crops, preprocess, { randomCrop: false, flip: false }, { seed: 1, step });
    engine.trainStep({ ...await loader.next(), crops }, { learningRate: 0.02, seed: 1, step });
  }
  loader.close();
  const views = viewsOf(count, preprocess);
  const ours = await predictSplit(engine, dataset.classes.length, split, { views });
  const metadata = {
    labels: JSON.stringify(dataset.classes),
    preprocess: JSON.stringify(preprocess),
  };
  const file = await Deno.makeTempFile({ suffix: ".onnx" });
  try {
    const parameters = await engine.readParameters();
    const onnx = encodeOnnx(exportOnnx(graph, parameters, { version: "0.0.0", metadata }));
    await Deno.writeFile(file, onnx);
    const predictor = await onnxPredictor(file);
    assertEquals(predictor.classes, dataset.classes);
    const theirs = await predictor.predict(split, { views });
    await predictor.close();
    return { ours, theirs };
  } finally {
    await Deno.remove(file);
    engine.close();
    gpu.close();
  }
}

/** Images whose five first answers differ in more than the order of equals, and in any way at all. */
function compareTopFive(ours: Float32Array, theirs: Float32Array, classes: number) {
  let [different, notIdentical] = [0, 0];
  const top = (row: Float32Array) =>
    [...row.keys()].sort((a, b) => row[b]! - row[a]!).slice(0, TOP);
  for (let start = 0; start < ours.length; start += classes) {
    const [a, b] = [ours, theirs].map((all) => all.subarray(start, start + classes));
    const [first, second] = [top(a!), top(b!)];
    const differing = first.filter((c, place) => c !== second[place]);
    if (differing.length === 0) continue;
    notIdentical++;
    const tied = first.every((c, place) => {
      const other = second[place]!;
      return Math.abs(a![c]! - a![other]!) <= TIE * Math.max(a![c]!, a![other]!);
    });
    if (!tied) different++;
  }
  return { different, notIdentical };
}

function assertAlike(ours: Float32Array, theirs: Float32Array, classes: number): void {
  const images = ours.length / classes;
  const { different, notIdentical } = compareTopFive(ours, theirs, classes);
  assertEquals(different, 0, `${different} of ${images} images have other answers`);
  assert(notIdentical <= images / 100, `${notIdentical} of ${images} are ordered differently`);
  const error = Math.max(...ours.map((p, i) => Math.abs(p - theirs[i]!)));
  assert(error < 1e-4, `probabilities differ by ${error}`);
  const answers = new Set(
    Array.from({ length: images }, (_, i) => {
      const row = ours.subarray(i * classes, (i + 1) * classes);
      return row.indexOf(Math.max(...row));
    }),
  );
  assert(answers.size > 1, "the network says the same of every image");
}

Deno.test("training and ONNX Runtime give one top-5 of a drawn split, over ten views", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await writeShapes(folder, { train: 80, validation: 10, test: 30, seed: 3, side: 72 });
    const dataset = await openDataset(folder, { side: 72, channels: 3 });
    const asked = { split: dataset.test!, views: 10, steps: 6 } as const;
    const { ours, theirs } = await askBoth("alexnet-small", dataset, asked);
    assertAlike(ours, theirs, dataset.classes.length);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({
  name: "training and ONNX Runtime give one top-5 of each of MNIST's 10,000 test images",
  ignore: !mnistExists,
  fn: async () => {
    const dataset = await openDataset(MNIST, { channels: 1 });
    const asked = { split: dataset.test!, views: 1, steps: 40 } as const;
    assertEquals(asked.split.count, 10_000);
    const { ours, theirs } = await askBoth("lenet5", dataset, asked);
    assertAlike(ours, theirs, 10);
  },
});
