import { assertEquals } from "@std/assert";
import { readFixtureCases } from "../../../tests/fixtures/read_fixture.ts";
import { openGpu } from "../../gpu/device.ts";
import { checkGradients } from "../check_gradients.ts";
import { randomTensor, runOp } from "../op_harness.ts";
import { relu } from "./relu.ts";
import { reluBackward, reluForward } from "./relu_reference.ts";

const gpu = await openGpu();

Deno.test("relu reference agrees with finite differences", () => {
  checkGradients(
    ([x]) => [reluForward(x!)],
    ([x], [g]) => [reluBackward(x!, g!)],
    [randomTensor([2, 3, 5, 4], 1)],
  );
});

Deno.test("relu() equals PyTorch", async () => {
  for (const { tensors } of await readFixtureCases("relu")) {
    const input = tensors.get("input")!, gradOutput = tensors.get("gradOutput")!;
    const result = await runOp(gpu, relu(), { inputs: [input], gradOutputs: [gradOutput] });
    assertEquals(result.outputs[0], tensors.get("output"));
    assertEquals(result.gradInputs[0], tensors.get("gradInput"));
    assertEquals(Float32Array.from(reluForward(input).data), tensors.get("output")!.data);
  }
});

for (const shape of [[1, 1, 7, 5], [3, 3, 13, 13], [2, 10, 1, 1], [1, 96, 55, 55], [2, 6, 3, 9]]) {
  Deno.test(`relu() equals its reference on ${shape}`, async () => {
    const input = randomTensor(shape, 2), gradOutput = randomTensor(shape, 3);
    const result = await runOp(gpu, relu(), { inputs: [input], gradOutputs: [gradOutput] });
    const expected = [reluForward(input), reluBackward(input, gradOutput)]
      .map(({ data }) => Float32Array.from(data));
    assertEquals(result.outputs[0]!.data, expected[0]);
    assertEquals(result.gradInputs[0]!.data, expected[1]);
  });
}

Deno.test("relu() folds into two dimensions where one has too few workgroups", async () => {
  const input = randomTensor([1, 4, 13, 13], 4);
  const result = await runOp(gpu, relu(), { inputs: [input], target: { maxWorkgroups: 2 } });
  assertEquals(result.outputs[0]!.data, Float32Array.from(reluForward(input).data));
});

Deno.test("relu().toOnnx() is one node", () => {
  const { nodes } = relu().toOnnx({
    name: "r",
    inputs: ["x"],
    outputs: ["y"],
    inputShapes: [],
    outputShapes: [],
    parameters: [],
  });
  assertEquals(nodes, [
    { opType: "Relu", name: "r", inputs: ["x"], outputs: ["y"], attributes: {} },
  ]);
});
