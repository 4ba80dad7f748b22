import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { exportedInput, exportedModel } from "../../tests/fixtures/exported.ts";
import { decodeOnnx } from "../../shared/onnx/read.ts";
import { quantizeWeights } from "./quantize.ts";
import { makeVariants, type VariantName, variantsOf } from "./variants.ts";

const model = decodeOnnx(exportedModel("lenet5"));
const { data } = exportedInput("lenet5");
const source = {
  model,
  preprocess: { side: 28, crop: 28, channels: 1 as const, mean: [128], std: [64] },
  calibrationImages: [data.subarray(0, data.length / 2), data.subarray(data.length / 2)],
};

Deno.test("makeVariants() makes each form smaller than the one before, and says how", async () => {
  const begun: string[] = [];
  const made = await Array.fromAsync(
    makeVariants(variantsOf(model), source, (name) => begun.push(name)),
  );
  assertEquals(begun, ["float16", "int8-weights", "int8", "int4"]);
  const sizes = new Map(made.map(([name, { bytes }]) => [name, bytes.length]));
  // int8 has the scales of activations too.
  const order: VariantName[] = ["float16", "int8", "int8-weights", "int4"];
  assertEquals([...sizes.keys()].toSorted((a, b) => sizes.get(b)! - sizes.get(a)!), order);
  const notes = new Map(made.map(([name, { note }]) => [name, note]));
  assertStringIncludes(notes.get("int8")!, "on 2 images");
  // Of 61,706 numbers and the scales 400 x 120 + 120 x 84.
  assertStringIncludes(notes.get("int4")!, "93.2 % of all numbers in 4 bits");
});

Deno.test("makeVariants() refuses forms that cannot be", async () => {
  const convolutions = {
    ...model,
    nodes: model.nodes.filter(({ opType }) => opType !== "Gemm"),
  };
  assertEquals(variantsOf(convolutions), ["float16", "int8-weights", "int8"]);
  const cases: [VariantName, typeof model, string][] = [
    ["int4", convolutions, "the model has no large fully connected layer"],
    ["int8", { ...model, opset: 11 }, "the model asks for operator set 11"],
    ["int8", quantizeWeights(model), "no float32 weights"],
    ["float16", quantizeWeights(model), "no float32 weights"],
  ];
  for (const [name, changed, reason] of cases) {
    await assertRejects(
      () => Array.fromAsync(makeVariants([name], { ...source, model: changed })),
      RangeError,
      reason,
    );
  }
});
