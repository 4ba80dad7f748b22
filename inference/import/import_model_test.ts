import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { gunzipSync } from "node:zlib";
import { preprocess } from "../../shared/image/preprocess.ts";
import type { UnpublishedManifest } from "../../shared/model_registry.ts";
import { fixture } from "../fixtures/colours.ts";
import models from "../fixtures/refused_models.json" with { type: "json" };
import { encodePng } from "../png.ts";
import { openSession } from "../workers/session.ts";
import { topK } from "../../shared/top_k.ts";
import { describeImport, type ImportOptions } from "./import_model.ts";
import { parseLabels } from "../../shared/classifier/labels.ts";

const data = new URL("../../../shared/data/", import.meta.url);
const squeezeNet = new URL("models/squeezenet10-deepcompression/", data);

const OPTIONS: ImportOptions = {
  name: "foreign",
  labels: ["red", "green", "blue"],
  preprocess: "unit",
  file: "foreign.onnx",
  codeVersion: "0.0.0",
};

function foreign(name: keyof typeof models): Uint8Array {
  return Uint8Array.fromBase64(models[name]);
}

function readData(path: string): Promise<Uint8Array> {
  return Deno.readFile(new URL(path, data));
}

function exists(url: URL): boolean {
  try {
    return Deno.statSync(url).isDirectory;
  } catch {
    return false;
  }
}

/** The probabilities that the described model gives an image. */
async function answers(weights: Uint8Array, manifest: UnpublishedManifest) {
  const session = await openSession(weights, manifest);
  return {
    ask: async (image: Uint8Array) =>
      await session.run(await preprocess(image, manifest.preprocess), 1),
    [Symbol.asyncDispose]: () => session.close(),
  };
}

Deno.test("describeImport() refuses what cannot be served, with the reason", async () => {
  const refused: [keyof typeof models, string][] = [
    ["two inputs", "it has 2 inputs, x float32 [batch, 3, 8, 8] and z float32 [batch, 3, 8, 8]"],
    ["channels last", "export the model with the channels first, NCHW"],
    ["bytes", "its input is x uint8 [batch, 3, 8, 8] (expected float32"],
    ["batch of 4", "it takes batches of 4 alone"],
    ["not square", "its input is 8 x 16 (expected a square)"],
    ["an image as output", "its output is y float32 [batch, 3, 8, 8] (expected float32 [batch,"],
    ["two outputs", "it has several outputs, y float32 [batch, 3] and p float32"],
  ];
  for (const [name, message] of refused) {
    await assertRejects(() => describeImport(foreign(name), OPTIONS), RangeError, message);
  }
  await assertRejects(
    () => describeImport(new Uint8Array(99), OPTIONS),
    SyntaxError,
    "Cannot import the model: ",
  );
  const labels = ["one", "two"];
  await assertRejects(
    async () => describeImport(await fixture("colours.onnx"), { ...OPTIONS, labels }),
    RangeError,
    "it has 4 classes, and the file of labels has 2",
  );
});

Deno.test("describeImport() takes the output that is named, and a network of any size", async () => {
  const named = await describeImport(foreign("two outputs"), { ...OPTIONS, output: "y" });
  assertEquals([named.output.name, named.input.shape], ["y", [-1, 3, 8, 8]]);

  const weights = foreign("any size, unflattened");
  await assertRejects(() => describeImport(weights, OPTIONS), SyntaxError, 'expected "crop"');
  const spec = JSON.stringify({ side: 20, crop: 16, scale: 1, order: "bgr" });
  const manifest = await describeImport(weights, { ...OPTIONS, preprocess: spec });
  assertEquals(manifest.input.shape, [-1, 3, 16, 16]);
  assertEquals(manifest.output.activation, "softmax");
  await using model = await answers(weights, manifest);
  // A red picture: the mean of each plane is its score, and blue comes first.
  const [blue, green, red] = await model.ask(await fixture("red.png"));
  const exponentials = [30, 20, 230].map((value) => Math.exp(value / 255));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  for (const [index, value] of [blue, green, red].entries()) {
    assertAlmostEquals(value!, exponentials[index]! / sum, 1e-5);
  }
});

Deno.test("describeImport() notes the answer to its self-test image", async () => {
  const weights = await fixture("colours.onnx");
  const labels = ["red", "green", "blue", "white"];
  const spec = JSON.stringify({ scale: 1, mean: 0.5, std: 0.5 });
  const options = { ...OPTIONS, labels, preprocess: spec };
  const own = await describeImport(weights, { ...options, testImage: await fixture("red.png") });
  assertEquals(own.output.activation, "none");
  assertEquals(own.selfTest!.top[0]!.index, 0);
  const drawn = await describeImport(weights, options);
  await using model = await answers(weights, drawn);
  const again = await model.ask(Uint8Array.fromBase64(drawn.selfTest!.image));
  assertEquals(topK(again, 5), drawn.selfTest!.top);
});

Deno.test({
  name: "an imported SqueezeNet gives ONNX Runtime's answers to forty photographs",
  ignore: !exists(squeezeNet),
  fn: async () => {
    const weights = await readData("models/squeezenet10-deepcompression/squeezenet1.0-dc.onnx");
    const labels = parseLabels(
      new TextDecoder().decode(await readData("labels/onnx-models-synset.txt")),
    );
    const manifest = await describeImport(weights, { ...OPTIONS, labels, preprocess: "caffe" });
    assertEquals(manifest.output.activation, "none");
    await using model = await answers(weights, manifest);
    const { results } = JSON.parse(
      await Deno.readTextFile(new URL("expected-top5.json", squeezeNet)),
    ) as { results: { file: string; class_index?: number; top5: [number, number][] }[] };
    const photographs = results.filter(({ class_index }) => class_index !== undefined);
    assertEquals(photographs.length, 40);
    const right = { ours: [0, 0], theirs: [0, 0] };
    for (const { file, class_index, top5 } of results) {
      const probabilities = await model.ask(await readData(file));
      const ours = topK(probabilities, 5).map(({ index }) => index);
      const theirs = top5.map(([index]) => index);
      assertEquals(ours[0], theirs[0], file);
      for (const [index, probability] of top5) {
        assertAlmostEquals(probabilities[index]!, probability, 0.02, `${file}, class ${index}`);
      }
      for (const [name, best] of [["ours", ours], ["theirs", theirs]] as const) {
        right[name][0]! += Number(best[0] === class_index);
        right[name][1]! += Number(best.some((index) => index === class_index));
      }
    }
    assertEquals(right.ours, right.theirs);
  },
});

Deno.test({
  name: "an imported mnist.onnx reads handwritten digits from image files",
  ignore: !exists(new URL("mnist/", data)),
  fn: async () => {
    const weights = await readData("models/mnist-onnx/mnist.onnx");
    const labels = [..."0123456789"];
    const manifest = await describeImport(weights, { ...OPTIONS, labels, preprocess: "bytes" });
    assertEquals([manifest.input.shape, manifest.output.activation], [[1, 1, 28, 28], "softmax"]);
    await using model = await answers(weights, manifest);
    const images = gunzipSync(await readData("mnist/t10k-images-idx3-ubyte.gz"));
    const truth = gunzipSync(await readData("mnist/t10k-labels-idx1-ubyte.gz"));
    let right = 0;
    const count = 300;
    for (let index = 0; index < count; index++) {
      const digit = images.subarray(16 + index * 784, 16 + (index + 1) * 784);
      const rgb = Uint8Array.from({ length: 784 * 3 }, (_, at) => digit[Math.floor(at / 3)]!);
      const probabilities = await model.ask(
        encodePng({ width: 28, height: 28, channels: 3, data: rgb }),
      );
      right += Number(topK(probabilities, 1)[0]!.index === truth[8 + index]);
    }
    assert(right / count > 0.97, `${right} of ${count}`);
  },
});
