// What training evaluates and what ONNX Runtime serves must be one network.
import { assert, assertEquals, assertLess } from "@std/assert";
import { createHash } from "node:crypto";
import * as ort from "onnxruntime-web";
import { preprocess, type PreprocessSpec } from "../shared/image/preprocess.ts";
import { drawCrops } from "../training/augment/draw.ts";
import type { Dataset } from "../training/dataset/dataset.ts";
import { evaluationBatches, openLoader } from "../training/dataset/loader.ts";
import { statisticsOf } from "../training/dataset/statistics.ts";
import { openDataset } from "../training/dataset/open_dataset.ts";
import { writeShapes } from "../training/dataset/shapes/write_shapes.ts";
import { openGpu } from "../training/gpu/device.ts";
import { Engine } from "../training/graph/engine.ts";
import { initialValues, type ParameterValues } from "../training/graph/parameters.ts";
import { type ModelName, MODELS } from "../training/models/models.ts";
import { normalize, residualOf } from "../training/normalization.ts";
import { exportOnnx, INPUT_NAME, OUTPUT_NAME } from "../training/onnx/export.ts";
import { encodeOnnx } from "../training/onnx/write.ts";
import { EXPORTED, exportedGraph, exportedInput, exportedModel } from "./fixtures/exported.ts";
import verdicts from "./fixtures/exported.json" with { type: "json" };

ort.env.wasm.numThreads = 1; // more would leave workers behind, which the test runner reports

const BATCH = 16;
const STEPS = 6;
/** float32 against float32 in another order; see also training/models/networks_test.ts. */
const TOLERANCE = 1e-4;

/** onnxruntime-web puts Node's Worker in its place, in which the dataset's cannot run. */
const { Worker } = globalThis;

/** [batch, classes] of ONNX Runtime for images [batch, channels, crop, crop]. */
async function runOnnx(file: Uint8Array, images: Float32Array, dims: readonly number[]) {
  const session = await ort.InferenceSession.create(file);
  try {
    const outputs = await session.run({ [INPUT_NAME]: new ort.Tensor("float32", images, dims) });
    return outputs[OUTPUT_NAME]!.data as Float32Array;
  } finally {
    await session.release();
    globalThis.Worker = Worker;
  }
}

function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  assertEquals(actual.length, expected.length);
  return Math.max(...Array.from(actual, (value, i) => Math.abs(value - expected[i]!)));
}

/** Weights after a few real steps, and what they say of the test images. */
async function trainAndEvaluate(
  model: ModelName,
  dataset: Dataset,
  preprocess: PreprocessSpec,
  meanCrop: Float32Array | null,
) {
  const graph = MODELS[model].build(dataset.classes.length);
  const gpu = await openGpu();
  const options = { batch: BATCH, preprocess, meanCrop, momentum: 0.9, decay: 0.0005 };
  const engine = await Engine.create(gpu, graph, options);
  const initial = initialValues(engine.arena, 1);
  engine.loadParameters(initial);
  const loader = openLoader(dataset.train, { batchSize: BATCH, seed: 1 });
  const crops = new Uint32Array(BATCH);
  for (let step = 0; step < STEPS; step++) {
    drawCrops(crops, preprocess, { randomCrop: true, flip: true }, { seed: 1, step });
    engine.trainStep({ ...await loader.next(), crops }, { learningRate: 0.01, seed: 1, step });
  }
  loader.close();
  const [batch] = evaluationBatches(dataset.test!, BATCH);
  engine.evaluateStep(batch!, BATCH);
  const probabilities = await engine.readProbabilities(BATCH);
  const parameters = await engine.readParameters();
  engine.close();
  gpu.close();
  return { graph, initial, parameters, probabilities };
}

for (
  const [model, mean] of [
    ["lenet5", "channel"],
    ["lenet5", "image"],
    ["alexnet-small", "image"],
  ] as const
) {
  Deno.test(`exportOnnx() of a ${model} trained less the ${mean} mean answers images as training does`, async () => {
    const { crop, channels, defaults: { side } } = MODELS[model];
    const folder = await Deno.makeTempDir();
    try {
      const sizes = { train: 48, validation: 10, test: BATCH };
      await writeShapes(folder, { ...sizes, seed: 2, side: 72 });
      const dataset = await openDataset(folder, { side, channels });
      const statistics = statisticsOf(dataset.train, channels);
      const config = { mean, standardize: true, side };
      const { meanCrop, ...normalization } = normalize(statistics, config, crop);
      const spec = { side, crop, channels, ...normalization };
      const inputOffset = meanCrop ? residualOf(spec, meanCrop) : undefined;
      const { graph, initial, parameters, probabilities } = await trainAndEvaluate(
        model,
        dataset,
        spec,
        meanCrop,
      );
      const images = new Float32Array(BATCH * channels * crop * crop);
      for (const [i, path] of dataset.test!.files!.entries()) {
        const image = await preprocess(await Deno.readFile(`${folder}/${path}`), spec);
        images.set(image, i * image.length);
      }
      const answer = (values: ParameterValues, offset = inputOffset) =>
        runOnnx(
          encodeOnnx(
            exportOnnx(graph, values, { version: "0.0.0", metadata: {}, inputOffset: offset }),
          ),
          images,
          [BATCH, channels, crop, crop],
        );
      const difference = largestDifference(await answer(parameters), probabilities);
      assertLess(difference, TOLERANCE);
      if (inputOffset) {
        const none = new Float32Array(inputOffset.length);
        const without = largestDifference(await answer(parameters, none), probabilities);
        assert(without > 10 * TOLERANCE, `the mean image changes the answers by ${without} only`);
      }
      const untrained = largestDifference(await answer(initial), probabilities);
      assert(
        untrained > 100 * TOLERANCE,
        `${STEPS} steps changed the answers by ${untrained} only`,
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

for (const name of EXPORTED) {
  const verdict = verdicts.models[name];

  Deno.test(`exportOnnx() of ${name} is what the ONNX checker accepted`, () => {
    const sha256 = createHash("sha256").update(exportedModel(name)).digest("hex");
    const advice =
      "the file is another one: let the checker judge it by tests/fixtures/make_exported.py";
    assertEquals(sha256, verdict.sha256, advice);
  });

  Deno.test(`exportOnnx() of ${name} has the shapes that ONNX infers`, () => {
    const inferred: Record<string, readonly (string | number)[]> = verdict.shapes;
    const { nodes } = exportedGraph(name);
    for (const { name: node, outputs } of nodes.slice(0, -1)) {
      const { channels, height, width } = outputs[0]!.shape;
      const shape = inferred[node];
      const own = shape?.length === 2 ? [channels] : [channels, height, width];
      assertEquals(shape, ["N", ...own], node);
    }
    assertEquals(inferred[OUTPUT_NAME], ["N", nodes.at(-1)!.outputs[0]!.shape.channels]);
  });

  Deno.test(`exportOnnx() of ${name} answers alike in both editions of ONNX Runtime`, async () => {
    const { dims, data } = exportedInput(name);
    const expected = verdict.outputs[OUTPUT_NAME];
    assertEquals(expected.dims, [dims[0], exportedGraph(name).output.shape.channels]);
    const actual = await runOnnx(exportedModel(name), data, dims);
    assertLess(largestDifference(actual, expected.data), 1e-5);
  });
}
