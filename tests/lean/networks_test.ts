// Whole networks in the lean session against ONNX Runtime, and against answers kept in a file.
import { assert, assertEquals } from "@std/assert";
import { preprocess } from "../../shared/image/preprocess.ts";
import { decodeOnnx } from "../../shared/onnx/read.ts";
import { topK } from "../../shared/top_k.ts";
import { observe, scalesBy } from "../../training/compress/calibrate.ts";
import { storeAsFloat16 } from "../../training/compress/float16.ts";
import {
  quantizeProducts,
  quantizeTo4Bits,
  quantizeWeights,
} from "../../training/compress/quantize.ts";
import { encodeOnnx } from "../../training/onnx/write.ts";
import { EXPORTED, exportedInput, exportedModel } from "../fixtures/exported.ts";
import { answerOfOnnxRuntime, AS_IT_STANDS, BUILDS, leanRunner, relativeError } from "./compare.ts";

const TRAINED_HERE = { input: "input", output: "probabilities" };

for (const name of EXPORTED) {
  Deno.test(`${name} gives ONNX Runtime's probabilities in the lean session`, async () => {
    const file = exportedModel(name);
    const { dims, data } = exportedInput(name);
    const expected = await answerOfOnnxRuntime(file, TRAINED_HERE, data, dims);
    const classes = expected.length / 2;
    for (const build of BUILDS) {
      const runner = await leanRunner(file, TRAINED_HERE, dims, classes, { build });
      const together = runner.run(data, 2);
      assert(relativeError(together, expected) < 1e-5, `${build}: ${together} of ${expected}`);
      // Another batch size lays everything out anew.
      assertEquals(runner.run(data.subarray(0, data.length / 2), 1), together.subarray(0, classes));
      assertEquals(runner.run(data, 2), together);
    }
  });
}

const STORED = { float16: storeAsFloat16, "int8-weights": quantizeWeights };

for (const [form, store] of Object.entries(STORED)) {
  for (const name of EXPORTED) {
    Deno.test(`${name} in ${form} gives ONNX Runtime's probabilities in the lean session`, async () => {
      const file = encodeOnnx(store(decodeOnnx(exportedModel(name))));
      const { dims, data } = exportedInput(name);
      const expected = await answerOfOnnxRuntime(file, TRAINED_HERE, data, dims);
      for (const build of BUILDS) {
        const classes = expected.length / 2;
        const runner = await leanRunner(file, TRAINED_HERE, dims, classes, { build });
        const error = relativeError(runner.run(data, 2), expected);
        assert(error < 1e-5, `${build}: ${error}`);
      }
    });
  }
}

for (const name of ["lenet5", "alexnet-small"] as const) {
  Deno.test(`${name} in int8 and int4 gives ONNX Runtime's probabilities in the lean session`, async () => {
    const model = decodeOnnx(exportedModel(name));
    const { dims, data } = exportedInput(name);
    const image = data.subarray(0, data.length / 2);
    const scales = scalesBy("max", {
      model,
      observations: await observe(model, [image]),
      preprocess: { side: 1, crop: 1, channels: 3, mean: [128], std: [64] },
    });
    for (const form of [quantizeProducts(model, scales), quantizeTo4Bits(model, scales)]) {
      const file = encodeOnnx(form);
      const expected = await answerOfOnnxRuntime(file, TRAINED_HERE, data, dims, AS_IT_STANDS);
      const [first, second] = await Promise.all(
        BUILDS.map(async (build) =>
          (await leanRunner(file, TRAINED_HERE, dims, expected.length / 2, { build })).run(data, 2)
        ),
      );
      // 1e-7 where it was written; another processor's float32 sums may round to another step.
      assert(relativeError(first!, expected) < 2e-3, `${first} of ${expected}`);
      assertEquals(second, first);
    }
  });
}

const data = new URL("../../../shared/data/", import.meta.url);
const squeezeNet = new URL("models/squeezenet10-deepcompression/", data);
const photographs = new URL("imagenet-samples/original/", data);

Deno.test({
  name: "SqueezeNet gives every photograph the five labels that ONNX Runtime gave in Python",
  ignore: ![squeezeNet, photographs].every(exists),
  fn: async () => {
    const file = await Deno.readFile(new URL("squeezenet1.0-dc.onnx", squeezeNet));
    const expected = JSON.parse(
      await Deno.readTextFile(new URL("expected-top5.json", squeezeNet)),
    ) as { results: { file: string; top5: [number, number][] }[] };
    const dims = [1, 3, 227, 227];
    const runner = await leanRunner(file, { input: "data", output: "prob" }, dims, 1000);
    const spec = {
      side: 256,
      crop: 227,
      channels: 3,
      resize: "squash",
      order: "bgr",
      mean: [104, 117, 123],
      std: [1, 1, 1],
    } as const;
    let same = 0;
    for (const { file, top5 } of expected.results) {
      const image = await preprocess(await Deno.readFile(new URL(file, data)), spec);
      const probabilities = runner.run(image, 1);
      const found = topK(probabilities, 5).map(({ index }) => index);
      const wanted = top5.map(([index]) => index);
      // Pillow's and our decoder and resizer differ by a little of 255, which may turn near equals.
      for (const [index, probability] of top5) {
        const difference = Math.abs(probabilities[index]! - probability);
        assert(difference < 0.02, `${file}, class ${index}: ${difference}`);
      }
      same += Number(found.join() === wanted.join());
      assertEquals(found[0], wanted[0], file);
    }
    assert(same >= 0.9 * expected.results.length, `${same} of ${expected.results.length}`);
  },
});

function exists(url: URL): boolean {
  try {
    return Deno.statSync(url).isDirectory;
  } catch {
    return false;
  }
}
