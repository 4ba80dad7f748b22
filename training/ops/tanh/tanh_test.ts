import { assert, assertEquals } from "@std/assert";
import { readFixtureCases } from "../../../tests/fixtures/read_fixture.ts";
import { openGpu } from "../../gpu/device.ts";
import { checkGradients } from "../check_gradients.ts";
import { assertClose, randomTensor, runOp } from "../op_harness.ts";
import { tanh } from "./tanh.ts";
import { tanhBackward, tanhForward } from "./tanh_reference.ts";

const gpu = await openGpu();

Deno.test("tanh reference agrees with finite differences", () => {
  checkGradients(
    ([x]) => [tanhForward(x!)],
    ([x], [g]) => [tanhBackward(x!, g!)],
    [randomTensor([2, 3, 5, 4], 1)],
  );
});

Deno.test("tanh() equals PyTorch", async () => {
  for (const { tensors } of await readFixtureCases("tanh")) {
    const input = tensors.get("input")!, gradOutput = tensors.get("gradOutput")!;
    const result = await runOp(gpu, tanh(), { inputs: [input], gradOutputs: [gradOutput] });
    assertClose(result.outputs[0]!.data, tensors.get("output")!.data, { relative: 1e-6 });
    assertClose(result.gradInputs[0]!.data, tensors.get("gradInput")!.data, { relative: 1e-6 });
  }
});

for (const shape of [[1, 1, 7, 5], [3, 3, 13, 13], [2, 10, 1, 1], [2, 6, 3, 9]]) {
  for (const scale of [0.01, 1, 30]) {
    Deno.test(`tanh() equals its reference on ${shape} of deviation ${scale}`, async () => {
      const input = randomTensor(shape, 2, scale), gradOutput = randomTensor(shape, 3);
      const result = await runOp(gpu, tanh(), { inputs: [input], gradOutputs: [gradOutput] });
      const gradient = tanhBackward(input, gradOutput);
      assertClose(result.outputs[0]!.data, tanhForward(input).data, { relative: 1e-6 });
      // Far out, 1 - y^2 has what is left of y's last digit.
      assertClose(result.gradInputs[0]!.data, gradient.data, { relative: 1e-5 });
    });
  }
}

Deno.test("tanh() keeps to 1e-6 of each number, and is one and finite far out", async () => {
  const sizes = [0, 1e-30, 1e-6, 0.2499, 0.25, 0.2501, 0.5, 1, 9, 50, 1e10, 3e38];
  const data = Float32Array.from(sizes.flatMap((x) => [x, -x]));
  const { outputs } = await runOp(gpu, tanh(), { inputs: [{ shape: [1, data.length], data }] });
  for (const [i, x] of data.entries()) {
    const [actual, expected] = [outputs[0]!.data[i]!, Math.tanh(x)];
    const difference = Math.abs(actual - expected);
    assert(difference <= 1e-6 * Math.abs(expected), `tanh ${x} is ${actual}, not ${expected}`);
  }
});

Deno.test("tanh() folds into two dimensions where one has too few workgroups", async () => {
  const input = randomTensor([1, 4, 13, 13], 4);
  const result = await runOp(gpu, tanh(), { inputs: [input], target: { maxWorkgroups: 2 } });
  assertClose(result.outputs[0]!.data, tanhForward(input).data, { relative: 1e-6 });
});

Deno.test("tanh().toOnnx() is one node", () => {
  const { nodes } = tanh().toOnnx({
    name: "t",
    inputs: ["x"],
    outputs: ["y"],
    inputShapes: [],
    outputShapes: [],
    parameters: [],
  });
  assertEquals(nodes, [
    { opType: "Tanh", name: "t", inputs: ["x"], outputs: ["y"], attributes: {} },
  ]);
});
