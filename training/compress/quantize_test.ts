import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import { exportedInput, exportedModel } from "../../tests/fixtures/exported.ts";
import type { OnnxModel } from "../../shared/onnx/onnx_node.ts";
import { decodeOnnx } from "../../shared/onnx/read.ts";
import { openOnnxSession, runOnnx } from "../evaluation/onnx_session.ts";
import { encodeOnnx } from "../onnx/write.ts";
import { observe, scalesBy } from "./calibrate.ts";
import { storeAsFloat16 } from "./float16.ts";
import {
  hasInt4,
  productsOf,
  quantizeByOutput,
  quantizeProducts,
  quantizeTo4Bits,
  quantizeWeights,
} from "./quantize.ts";
import { gemmToMatMul } from "./fully_connected.ts";
import { mayBeNegative } from "./value_ranges.ts";

const NETWORKS = ["lenet5", "cifar10-18pct", "alexnet-small", "alexnet-tiny"] as const;
const PIXELS = { side: 1, crop: 1, channels: 3 as const, mean: [128], std: [64] };

async function answer(model: OnnxModel, { dims, data }: ReturnType<typeof exportedInput>) {
  const session = await openOnnxSession("a test", encodeOnnx(model));
  try {
    return (await runOnnx(session, data, dims))[model.outputs[0]!.name]!;
  } finally {
    await session.release();
  }
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

for (const name of NETWORKS) {
  Deno.test(`${name}: ONNX Runtime runs every form, with answers near the original's`, async () => {
    const model = decodeOnnx(exportedModel(name));
    const input = exportedInput(name);
    const expected = await answer(model, input);
    const half = input.data.length / 2;
    const images = [input.data.subarray(0, half), input.data.subarray(half)];
    const observations = await observe(model, images);
    const scales = scalesBy("max", { model, observations, preprocess: PIXELS });
    const forms = {
      matmul: [gemmToMatMul(model), 1e-5],
      float16: [storeAsFloat16(model), 2e-3],
      weights: [quantizeWeights(model), 0.02],
      products: [quantizeProducts(model, scales), 0.05],
      blocks: [quantizeTo4Bits(model, scales), 0.05],
    } as const;
    for (const [form, [changed, tolerance]] of Object.entries(forms)) {
      const difference = largestDifference(await answer(changed, input), expected);
      assertLess(difference, tolerance, form);
      if (form !== "matmul") assert(difference > 0, `${form} changed nothing`);
    }
  });

  Deno.test(`${name}: int8 products read 7 bits through QuantizeLinear, weights are int8`, async () => {
    const model = decodeOnnx(exportedModel(name));
    const input = exportedInput(name);
    const observations = await observe(model, [input.data.subarray(0, input.data.length / 2)]);
    const scales = scalesBy("mse", { model, observations, preprocess: PIXELS });
    const products = productsOf(gemmToMatMul(model));
    const quantized = quantizeProducts(model, scales);
    const stored = new Map(quantized.initializers.map((tensor) => [tensor.name, tensor]));
    assert(products.length >= 3);
    for (const { input, weights, axis } of products) {
      assertEquals(stored.has(weights.name), false);
      assert(stored.get(`${weights.name}/int8`)!.data instanceof Int8Array);
      assertEquals(stored.get(`${weights.name}/scale`)!.dims, [weights.dims[axis]!]);
      const zero = stored.get(`${input}/zero_point`)!.data;
      assert(zero instanceof Uint8Array);
      // In these networks every layer but the first reads what a ReLU made.
      assertEquals(zero[0], input === products[0]!.input ? 64 : 0, input);
      assertEquals(mayBeNegative(gemmToMatMul(model), input), zero[0] === 64);
    }
  });
}

Deno.test("quantizeTo4Bits() takes large matrices of an even number of outputs, the rest stays int8", async () => {
  const model = decodeOnnx(exportedModel("lenet5"));
  const input = exportedInput("lenet5");
  const observations = await observe(model, [input.data.subarray(0, input.data.length / 2)]);
  const scales = scalesBy("mse", { model, observations, preprocess: PIXELS });
  const stored = (changed: OnnxModel) =>
    quantizeTo4Bits(changed, scales).initializers
      .filter(({ data }) => data instanceof Int8Array)
      .map(({ dims, elementType = "INT8" }) => [elementType, ...dims].join(" "));
  // 400 to 120 and 120 to 84; 84 to 10 are few.
  const convolutions = ["INT8 6 1 5 5", "INT8 16 6 5 5"];
  const small = "INT8 84 10";
  assertEquals(stored(model), [...convolutions, "INT4 400 120", "INT4 120 84", small]);
  assert(hasInt4(model));
  const few = {
    ...model,
    initializers: model.initializers.map((tensor) =>
      tensor.dims.length === 2
        ? { ...tensor, data: Int8Array.from(tensor.data as Float32Array) }
        : tensor
    ),
  };
  assertEquals(hasInt4(few), false);
});

Deno.test("quantizeByOutput() is within half a step of each weight, outputs first or last", () => {
  const data = Float32Array.of(1, -2, 0.5, 100, 30, -127, 0, 0, 0);
  for (const axis of [0, 1]) {
    const { values, scales } = quantizeByOutput(data, [3, 3], axis);
    data.forEach((value, i) => {
      const scale = scales[axis === 0 ? Math.floor(i / 3) : i % 3]!;
      assertAlmostEquals(values[i]! * scale, value, scale / 2 + 1e-6);
    });
    assertEquals(values.some((value) => value === -128), false);
  }
  // A row without weights has a scale all the same: no 0 / 0.
  const { values, scales } = quantizeByOutput(data, [3, 3], 0);
  assertEquals([[...values.subarray(6)], scales[2]], [[0, 0, 0], 1]);
});
