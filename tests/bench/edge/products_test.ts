import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { decodeOnnx } from "../../../shared/onnx/read.ts";
import { quantizeWeights } from "../../../training/compress/quantize.ts";
import { exportedInput, exportedModel } from "../../fixtures/exported.ts";
import { boundOf, layerErrors, workOf } from "./products.ts";

const model = decodeOnnx(exportedModel("lenet5"));
const image = exportedInput("lenet5").data.subarray(0, 28 * 28);

Deno.test("workOf() finds LeNet-5's multiply-adds and weights, product by product", async () => {
  const work = await workOf(model, image);
  // Of the networks' table in the README: 416,520; 61,706 parameters of which 236 are biases.
  assertEquals(work.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0), 416_520);
  assertEquals(work.reduce((sum, { weights }) => sum + weights, 0), 61_706 - 236);
});

Deno.test("boundOf() takes the longer of reading and multiplying, product by product", () => {
  const peak = { bandwidth: 1e9, float32: 1e9, int8: 4e9 };
  const work = [
    { name: "conv", weights: 1e6, multiplyAdds: 100e6, fullyConnected: false },
    { name: "fc", weights: 50e6, multiplyAdds: 50e6, fullyConnected: true },
  ];
  const bound = (bytesPerWeight: number, integers: boolean) =>
    boundOf(work, peak, { bytesPerWeight, integers });
  assertAlmostEquals(bound(4, false), 100 + 200);
  assertAlmostEquals(bound(1, true), 25 + 50);
  const halves = { bytesPerWeight: 1, bytesPerConnection: 0.5, integers: true };
  assertAlmostEquals(boundOf(work, peak, halves), 25 + 25);
});

Deno.test("layerErrors() is nothing for the same network and little for its int8 weights", async () => {
  const same = await layerErrors(model, model, image);
  assertEquals([...same.values()].every((error) => error === 0), true);
  const errors = await layerErrors(model, quantizeWeights(model), image);
  assertEquals(errors.size, same.size);
  assert([...errors.values()].every((error) => error > 0 && error < 0.02), [...errors].join());
});
