import { assertEquals, assertThrows } from "@std/assert";
import { readFixtureCases } from "../../../tests/fixtures/read_fixture.ts";
import { openGpu } from "../../gpu/device.ts";
import { joinReference, splitReference } from "../../kernels/copy/copy_channels_reference.ts";
import { checkGradients } from "../check_gradients.ts";
import { imageShape } from "../op.ts";
import { assertClose, randomTensor, runOp } from "../op_harness.ts";
import { concat } from "./concat.ts";

const gpu = await openGpu();
const exact = { relative: 0 };

const cases: [string, number[], number, number, number][] = [
  ["two", [4, 5], 2, 7, 5],
  ["three, the last small", [8, 48, 1], 3, 7, 5],
  ["one", [3], 1, 5, 4],
  ["rows without space", [16, 4, 10], 2, 1, 1],
  ["an Inception module", [64, 128, 32, 32], 1, 13, 13],
];

for (const [name, channels, batch, height, width] of cases) {
  Deno.test(`concat() equals its reference, both ways: ${name}`, async () => {
    const inputs = channels.map((count, i) => randomTensor([batch, count, height, width], i));
    const expected = joinReference(inputs);
    const gradOutput = randomTensor(expected.shape, 9);
    const result = await runOp(gpu, concat(), { inputs, gradOutputs: [gradOutput] });
    assertEquals(result.outputs[0]!.shape, expected.shape);
    assertClose(result.outputs[0]!.data, expected.data, exact);
    splitReference(gradOutput, channels).forEach(({ data }, i) =>
      assertClose(result.gradInputs[i]!.data, data, exact)
    );
  });
}

Deno.test("concat() writes only the gradients that are needed", () => {
  const inputs = [imageShape(4, 3, 3), imageShape(8, 3, 3), imageShape(4, 3, 3)];
  const { dispatches } = concat().backward({
    target: { ...gpu },
    batch: 1,
    inputs,
    outputs: concat().outputShapes(inputs),
    training: true,
    fusedRelu: false,
    needsGradInput: [true, false, true],
    accumulate: false,
    lossBatch: 1,
    stream: 0,
  });
  const written = dispatches.map(({ bindings }) => bindings[1]!.buffer);
  assertEquals(written, [{ role: "gradInput", index: 0 }, { role: "gradInput", index: 2 }]);
});

Deno.test("concat reference equals PyTorch and agrees with finite differences", async () => {
  for (const { tensors } of await readFixtureCases("concat")) {
    const inputs = [tensors.get("first")!, tensors.get("second")!];
    assertClose(joinReference(inputs).data, tensors.get("output")!.data, exact);
    const gradients = splitReference(tensors.get("gradOutput")!, [3, 5]);
    assertClose(gradients[0]!.data, tensors.get("gradFirst")!.data, exact);
    assertClose(gradients[1]!.data, tensors.get("gradSecond")!.data, exact);
    checkGradients((x) => [joinReference(x)], (_, [g]) => splitReference(g!, [3, 5]), inputs);
  }
});

Deno.test("concat().toOnnx() joins along axis 1", () => {
  const { nodes } = concat().toOnnx({
    name: "join",
    inputs: ["a", "b"],
    outputs: ["y"],
    inputShapes: [],
    outputShapes: [],
    parameters: [],
  });
  assertEquals(nodes, [
    {
      opType: "Concat",
      name: "join",
      inputs: ["a", "b"],
      outputs: ["y"],
      attributes: { axis: { int: 1 } },
    },
  ]);
});

Deno.test("concat() refuses what it cannot do", () => {
  const shapes = (...inputs: ReturnType<typeof imageShape>[]) => () =>
    concat().outputShapes(inputs);
  assertThrows(shapes(), RangeError, "no inputs");
  assertThrows(shapes(imageShape(3, 2, 2), imageShape(4, 2, 2)), RangeError, "multiple of four");
  assertThrows(shapes(imageShape(4, 2, 2), imageShape(4, 2, 3)), RangeError, "2 x 3");
  const flat = { ...imageShape(16, 1, 1), flattened: imageShape(4, 2, 2) };
  assertThrows(shapes(imageShape(4, 1, 1), flat), RangeError, "flattened");
});
