// Runs of the lean session on several threads give the numbers of one thread, to the bit.
import { assert, assertEquals } from "@std/assert";
import type { LeanRunner } from "../../inference/lean/lean_runner.ts";
import type { ReadOptions } from "../../inference/lean/read_network.ts";
import { decodeOnnx } from "../../shared/onnx/read.ts";
import type { OnnxModel } from "../../shared/onnx/onnx_node.ts";
import { observe, scalesBy } from "../../training/compress/calibrate.ts";
import { storeAsFloat16 } from "../../training/compress/float16.ts";
import { gemmToMatMul } from "../../training/compress/fully_connected.ts";
import { quantizeProducts, quantizeWeights } from "../../training/compress/quantize.ts";
import { encodeOnnx } from "../../training/onnx/write.ts";
import { EXPORTED, exportedInput, exportedModel } from "../fixtures/exported.ts";
import { BUILDS, DIVIDED, leanRunner, Numbers, ONE_BY_ONE, relativeError } from "./compare.ts";

const NAMES = { input: "input", output: "probabilities" };

type Name = typeof EXPORTED[number];

/** The network in int8, calibrated on two images. */
async function int8(file: Uint8Array, name: Name) {
  const model = gemmToMatMul(decodeOnnx(file) as OnnxModel);
  const { dims, data } = exportedInput(name);
  const images = [data.slice(0, data.length / 2), data.slice(data.length / 2)];
  const observations = await observe(model, images);
  const [channels, crop] = [dims[1] as 1 | 3, dims[2]!];
  const mean = new Array<number>(channels).fill(127.5);
  const preprocess = { side: crop, crop, channels, mean, std: mean };
  const scales = scalesBy("max", { model, observations, preprocess });
  return encodeOnnx(quantizeProducts(model, scales));
}

interface Form {
  readonly names: readonly Name[];
  readonly make: (file: Uint8Array, name: Name) => Uint8Array | Promise<Uint8Array>;
}

const FORMS: Readonly<Record<string, Form>> = {
  float32: { names: EXPORTED, make: (file) => file },
  float16: {
    names: ["alexnet-small"],
    make: (file) => encodeOnnx(storeAsFloat16(decodeOnnx(file))),
  },
  "int8-weights": {
    names: ["alexnet-small"],
    make: (file) => encodeOnnx(quantizeWeights(decodeOnnx(file) as OnnxModel)),
  },
  // There are no locally connected layers in int8.
  int8: { names: EXPORTED.filter((name) => name !== "cifar10-local-tiny"), make: int8 },
};

for (const [form, { names, make }] of Object.entries(FORMS)) {
  for (const name of names) {
    Deno.test(`${name} in ${form} gives the same on one thread and on several`, async () => {
      const original = exportedModel(name);
      const file = await make(original, name);
      const { dims } = exportedInput(name);
      const classes = Number(decodeOnnx(original).outputs[0]!.shape[1]);
      for (const build of BUILDS) {
        const wholes: Float32Array[] = [];
        for (const images of [{}, ONE_BY_ONE]) {
          const open = (options: ReadOptions) =>
            leanRunner(file, NAMES, dims, classes, { build, ...images, ...options });
          const [alone, together] = [await open({}), await open(DIVIDED)];
          try {
            wholes.push(await compareRuns(alone, together, dims.slice(1)));
          } finally {
            together.close();
          }
        }
        assert(relativeError(wholes[1]!, wholes[0]!) < 1e-6, "one by one");
      }
    });
  }
}

/** Runs batches of several sizes; returns all results. */
async function compareRuns(
  alone: LeanRunner,
  together: LeanRunner,
  image: readonly number[],
): Promise<Float32Array> {
  assertEquals(await together.startThreads(), DIVIDED.threads);
  const size = image.reduce((product, length) => product * length, 1);
  const results: number[] = [];
  for (const batch of [1, 2, 3, 5, 8, 1]) {
    const images = new Numbers(batch).array(batch * size, 2);
    const expected = alone.run(images, batch);
    results.push(...expected);
    for (let run = 0; run < 4; run++) {
      assertEquals(together.run(images, batch), expected, `batch ${batch}`);
      // A turn of the event loop, and none.
      if (run % 2) await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
  assert(together.helped > 0, "no other thread did anything");
  return Float32Array.from(results);
}
