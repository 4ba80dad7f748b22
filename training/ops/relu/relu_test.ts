import { assertEquals } from "@std/assert";
import { readFixtureCases } from "../../../tests/fixtures/read_fixture.ts";
import { openGpu } from "../../gpu/device.ts";
import { checkGradients } from "../check_gradients.ts";
import { assertClose, randomTensor, runOp } from "../op_harness.ts";
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
    assertClose(result.outputs[0]!.data, tensors.get("output")!.data, { relative: 0 });
    assertClose(result.gradInputs[0]!.data, tensors.get("gradInput")!.data, { relative: 0 });
  }
});

for (const shape of [[1, 1, 7, 5], [3, 3, 13, 13], [2, 10, 1, 1], [1, 96, 55, 55], [2, 6, 3, 9]]) {
  Deno.test(`relu() equals its reference on ${shape}`, async () => {
    const input = randomTensor(shape, 2), gradOutput = randomTensor(shape, 3);
    const result = await runOp(gpu, relu(), { inputs: [input], gradOutputs: [gradOutput] });
    const gradient = reluBackward(input, gradOutput);
    assertClose(result.outputs[0]!.data, reluForward(input).data, { relative: 0 });
    assertClose(result.gradInputs[0]!.data, gradient.data, { relative: 0 });
  });
}

Deno.test("relu() folds into two dimensions where one has too few workgroups", async () => {
  const input = randomTensor([1, 4, 13, 13], 4);
  const result = await runOp(gpu, relu(), { inputs: [input], target: { maxWorkgroups: 2 } });
  assertClose(result.outputs[0]!.data, reluForward(input).data, { relative: 0 });
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
