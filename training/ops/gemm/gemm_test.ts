import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type FixtureTensor, readFixtureCases } from "../../../tests/fixtures/read_fixture.ts";
import { openGpu } from "../../gpu/device.ts";
import type { GemmTile } from "../../kernels/gemm/gemm.ts";
import { subgroupTiles } from "../../kernels/gemm/subgroup.ts";
import { workgroupTiles } from "../../kernels/gemm/workgroup.ts";
import { checkGradients } from "../check_gradients.ts";
import { floatsOf, imageShape, type Shape } from "../op.ts";
import { assertClose, type OpRun, randomTensor, runOp, type Tensor } from "../op_harness.ts";
import { gemm } from "./gemm.ts";
import { PANEL } from "./gemm_layout.ts";
import { gemmBackward, gemmForward } from "./gemm_reference.ts";

const gpu = await openGpu();
const weightInit = { kind: "normal", std: 0.01 } as const;

function opOf(outputs: number, tile?: GemmTile) {
  const tiles = tile ? { tiles: { forward: tile, gradInput: tile, gradWeight: tile } } : {};
  return gemm({ outputs, weightInit, ...tiles });
}

/** Random weights; a large matrix repeats 9,973 numbers, a prime, so that no two rows are equal. */
function randomWeight(shape: readonly [number, number]): Tensor {
  const { data } = randomTensor([Math.min(shape[0] * shape[1], 9973)], 2);
  const repeated = new Float32Array(shape[0] * shape[1]);
  for (let i = 0; i < repeated.length; i += data.length) {
    repeated.set(data.subarray(0, repeated.length - i), i);
  }
  return { shape, data: repeated };
}

/** Random input, weight, bias and gradient of the output. */
function tensorsOf(batch: number, inputs: number, outputs: number) {
  return [
    randomTensor([batch, inputs], 1),
    randomWeight([outputs, inputs]),
    randomTensor([outputs], 3),
    randomTensor([batch, outputs], 4),
  ] as [Tensor, Tensor, Tensor, Tensor];
}

/** Asserts that all three directions equal the reference. */
async function expectReference(
  [batch, inputs, outputs]: readonly [number, number, number],
  run: Partial<OpRun> = {},
  tile: GemmTile | undefined = undefined,
) {
  const [input, weight, bias, gradOutput] = tensorsOf(batch, inputs, outputs);
  const result = await runOp(gpu, opOf(outputs, tile), {
    inputs: [input],
    parameters: [weight.data, bias.data],
    gradOutputs: [gradOutput],
    ...run,
  });
  const output = gemmForward(input, weight, bias).data.map((value) =>
    run.fusedRelu ? Math.max(0, value) : value
  );
  if (run.fusedRelu) output.forEach((value, i) => gradOutput.data[i]! *= value > 0 ? 1 : 0);
  const [gradInput, ...gradients] = gemmBackward(input, weight, gradOutput);
  assertClose(result.outputs[0]!.data, output, { message: "output" });
  if (run.needsGradInput?.[0] === false) assertEquals(result.gradInputs, [undefined]);
  else assertClose(result.gradInputs[0]!.data, gradInput.data, { message: "gradInput" });
  gradients.forEach(({ data }, i) => {
    const before = run.accumulate?.[i];
    const expected = data.map((value, at) => value + (before?.[at] ?? 0));
    assertClose(result.gradParameters[i]!, expected, { message: `gradParameter ${i}` });
  });
}

Deno.test("gemm reference agrees with finite differences", () => {
  for (const [batch, inputs, outputs] of [[1, 1, 1], [3, 7, 5], [2, 12, 10]] as const) {
    checkGradients(
      ([x, w, b]) => [gemmForward(x!, w!, b!)],
      ([x, w], [g]) => gemmBackward(x!, w!, g!),
      tensorsOf(batch, inputs, outputs).slice(0, 3),
    );
  }
});

for (const { name, tensors } of await readFixtureCases("linear")) {
  Deno.test(`gemm() equals PyTorch: ${name}`, async () => {
    const expected = (key: string): FixtureTensor => tensors.get(key)!;
    const result = await runOp(gpu, opOf(expected("bias").shape[0]!), {
      inputs: [expected("input")],
      parameters: [expected("weight").data, expected("bias").data],
      gradOutputs: [expected("gradOutput")],
    });
    assertClose(result.outputs[0]!.data, expected("output").data, { message: "output" });
    assertClose(result.gradInputs[0]!.data, expected("gradInput").data, { message: "gradInput" });
    const [weight, bias] = result.gradParameters;
    assertClose(weight!, expected("gradWeight").data, { message: "gradWeight" });
    assertClose(bias!, expected("gradBias").data, { message: "gradBias" });
  });
}

// No tile divides them; the largest needs two along each side; outputs are a panel and a bit.
const ODD = [135, 150, 141] as const;
for (const tile of [...subgroupTiles(), ...workgroupTiles]) {
  const { family, ...sizes } = tile;
  Deno.test(`gemm() equals its reference at ${family} tile ${Object.values(sizes)}`, async () => {
    await expectReference(ODD, {}, tile);
  });
}

for (const family of ["software", "discrete"] as const) {
  for (const sizes of [[1, 3, 6], [3, 10, 1], [2, 1, 300], [3, 16, 129]] as const) {
    Deno.test(`gemm() equals its reference with ${family} kernels: ${sizes}`, async () => {
      await expectReference(sizes, { target: { family } });
    });
  }
}

const random = (length: number, seed: number) =>
  Float32Array.from(randomTensor([length], seed).data);

// 150 inputs are 152 in memory: one panel, or two, to a slab.
for (const panels of [1, 2]) {
  Deno.test(`gemm() cuts weights into slabs of ${panels} of its panels`, async () => {
    const target = { maxBindingBytes: panels * 152 * PANEL * 4 };
    const accumulate = [random(300 * 150, 5), random(300, 6)];
    await expectReference([5, 150, 300], { target });
    await expectReference([5, 150, 300], { target, accumulate, fusedRelu: true });
  });
}

Deno.test("gemm() sums the bias's gradient in parts over a large batch, and adds", async () => {
  const accumulate = [random(5 * 3, 5), random(5, 6)];
  await expectReference([300, 3, 5], { accumulate });
});

Deno.test("gemm() leaves out the input's gradient where nothing needs it", async () => {
  await expectReference([2, 5, 3], { needsGradInput: [false] });
});

/** As `Flatten` gives it. */
function flattened(image: Shape): Shape {
  const { channels, height, width } = image;
  return {
    channels: channels * height * width,
    height: 1,
    width: 1,
    stride: floatsOf(image),
    flattened: image,
  };
}

Deno.test("gemm() reads flattened images channel by channel, as ONNX numbers them", async () => {
  const image = imageShape(6, 2, 3);
  const [input, weight, bias, gradOutput] = tensorsOf(2, 36, 10);
  const result = await runOp(gpu, opOf(10), {
    inputs: [input],
    inputShapes: [flattened(image)],
    parameters: [weight.data, bias.data],
    gradOutputs: [gradOutput],
  });
  assertClose(result.outputs[0]!.data, gemmForward(input, weight, bias).data);
  const [gradInput, gradWeight] = gemmBackward(input, weight, gradOutput);
  assertClose(result.gradInputs[0]!.data, gradInput.data);
  assertClose(result.gradParameters[0]!, gradWeight.data);
});

Deno.test("gemm() equals its reference at the chosen tiles of AlexNet's fc6", async () => {
  await expectReference([1, 9216, 4096]);
});

Deno.test("gemm().parameters() keep values through memory's layout", () => {
  const inputs = [imageShape(3, 1, 1), imageShape(16, 1, 1), flattened(imageShape(6, 2, 3))];
  for (const input of inputs) {
    for (const outputs of [1, 10, 128, 300]) {
      for (const spec of opOf(outputs).parameters([input])) {
        const length = spec.shape.reduce((product, size) => product * size, 1);
        const values = random(length, 7);
        const stored = spec.pack(values);
        assertEquals(stored.length, spec.floats);
        assertEquals(stored.filter((value) => value !== 0).length, length);
        assertEquals(spec.unpack(stored), values);
      }
    }
  }
});

Deno.test("gemm().toOnnx() is a Gemm with weights [outputs, inputs]", () => {
  const [weight, bias] = [random(12, 1), random(4, 2)];
  const { nodes, initializers } = opOf(4).toOnnx({
    name: "fc",
    inputs: ["x"],
    outputs: ["y"],
    inputShapes: [imageShape(3, 1, 1)],
    outputShapes: [imageShape(4, 1, 1)],
    parameters: [{ name: "fc/weight", values: weight }, { name: "fc/bias", values: bias }],
  });
  assertEquals(nodes, [{
    opType: "Gemm",
    name: "fc",
    inputs: ["x", "fc/weight", "fc/bias"],
    outputs: ["y"],
    attributes: { transB: { int: 1 } },
  }]);
  assertEquals(initializers, [
    { name: "fc/weight", dims: [4, 3], data: weight },
    { name: "fc/bias", dims: [4], data: bias },
  ]);
  assertEquals(opOf(4096).multiplyAdds([imageShape(9216, 1, 1)]), 37_748_736);
});

Deno.test("gemm() refuses what it cannot do", async () => {
  assertThrows(() => opOf(4).outputShapes([imageShape(3, 2, 2)]), RangeError, "flatten it first");
  assertThrows(() => opOf(0).outputShapes([imageShape(3, 1, 1)]), RangeError, "0 x 1 x 1");
  const target = { maxBindingBytes: 152 * PANEL * 4 - 1 };
  await assertRejects(
    () => expectReference([1, 150, 300], { target }),
    RangeError,
    "Cannot bind 128 outputs of 152 inputs",
  );
});
