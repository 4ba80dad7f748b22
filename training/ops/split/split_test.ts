import { assertEquals, assertThrows } from "@std/assert";
import { readFixtureCases } from "../../../tests/fixtures/read_fixture.ts";
import { openGpu } from "../../gpu/device.ts";
import { joinReference, splitReference } from "../../kernels/copy/copy_channels_reference.ts";
import { checkGradients } from "../check_gradients.ts";
import { imageShape } from "../op.ts";
import { assertClose, randomTensor, runOp } from "../op_harness.ts";
import { split } from "./split.ts";

const gpu = await openGpu();
const exact = { relative: 0 };

const cases: [string, number[], number, number, number][] = [
  ["two", [4, 5], 2, 7, 5],
  ["three, the last small", [8, 48, 1], 3, 7, 5],
  ["one", [3], 1, 5, 4],
  ["rows without space", [16, 4, 10], 2, 1, 1],
  ["two towers", [48, 48], 1, 27, 27],
];

for (const [name, sizes, batch, height, width] of cases) {
  Deno.test(`split() equals its reference, both ways: ${name}`, async () => {
    const channels = sizes.reduce((sum, size) => sum + size, 0);
    const input = randomTensor([batch, channels, height, width], 1);
    const expected = splitReference(input, sizes);
    const gradOutputs = expected.map(({ shape }, i) => randomTensor(shape, 2 + i));
    const result = await runOp(gpu, split({ sizes }), { inputs: [input], gradOutputs });
    assertEquals(result.outputs.map(({ shape }) => shape), expected.map(({ shape }) => shape));
    expected.forEach(({ data }, i) => assertClose(result.outputs[i]!.data, data, exact));
    assertClose(result.gradInputs[0]!.data, joinReference(gradOutputs).data, exact);
  });
}

Deno.test("split reference equals PyTorch and agrees with finite differences", async () => {
  for (const { attributes, tensors } of await readFixtureCases("split")) {
    const sizes = attributes.split as number[];
    const parts = splitReference(tensors.get("input")!, sizes);
    assertClose(parts[0]!.data, tensors.get("first")!.data, exact);
    assertClose(parts[1]!.data, tensors.get("second")!.data, exact);
    const gradient = joinReference([tensors.get("gradFirst")!, tensors.get("gradSecond")!]);
    assertClose(gradient.data, tensors.get("gradInput")!.data, exact);
    checkGradients(
      ([x]) => splitReference(x!, sizes),
      (_, gradients) => [joinReference(gradients)],
      [tensors.get("input")!],
    );
  }
});

Deno.test("split().toOnnx() gives the sizes as the second input, as operator set 13 asks", () => {
  const inputShapes = [imageShape(9, 2, 2)];
  const op = split({ sizes: [4, 5] });
  const { nodes, initializers } = op.toOnnx({
    name: "part",
    inputs: ["x"],
    outputs: ["a", "b"],
    inputShapes,
    outputShapes: op.outputShapes(inputShapes),
    parameters: [],
  });
  assertEquals(nodes, [
    {
      opType: "Split",
      name: "part",
      inputs: ["x", "part/sizes"],
      outputs: ["a", "b"],
      attributes: { axis: { int: 1 } },
    },
  ]);
  assertEquals(initializers, [
    { name: "part/sizes", dims: [2], data: BigInt64Array.of(4n, 5n) },
  ]);
});

Deno.test("split() refuses what it cannot do", () => {
  assertThrows(() => split({ sizes: [3, 5] }), RangeError, "multiples of four");
  const op = split({ sizes: [4, 4] });
  assertThrows(() => op.outputShapes([imageShape(9, 2, 2)]), RangeError, "add up to 8");
  const flat = { ...imageShape(8, 1, 1), flattened: imageShape(8, 1, 1) };
  assertThrows(() => op.outputShapes([flat]), RangeError, "flattened");
});
