import { assert, assertEquals, assertThrows } from "@std/assert";
import { readFixtureCases } from "../../../tests/fixtures/read_fixture.ts";
import { openGpu } from "../../gpu/device.ts";
import { checkGradients } from "../check_gradients.ts";
import { imageShape } from "../op.ts";
import { assertClose, type OpRun, randomTensor, runOp } from "../op_harness.ts";
import { dropout } from "./dropout.ts";
import { applyMask, type DropoutDraw, dropoutMask, pcg4d } from "./dropout_reference.ts";

const gpu = await openGpu();

const draw: DropoutDraw = { seed: 7, step: 3, part: 0, stream: 5 };

/** What becomes of ones: the mask. */
async function maskOf(shape: number[], ratio: number, { stream, ...step }: DropoutDraw) {
  const length = shape.reduce((product, size) => product * size, 1);
  const inputs = [{ shape, data: new Float32Array(length).fill(1) }];
  const { outputs } = await runOp(gpu, dropout({ ratio }), { inputs, stream, step });
  return Float32Array.from(outputs[0]!.data);
}

Deno.test("pcg4d() of the reference gives the published function's words", () => {
  // By the paper's listing in 32-bit arithmetic of another language.
  const known: [[number, number, number, number], number[]][] = [
    [[0, 0, 0, 0], [0x0f02f829, 0x2d568769, 0x32b0c43b, 0xd32548ea]],
    [[1, 2, 3, 4], [0x3622cd16, 0xf11471d8, 0xe1109b3f, 0x02b94c2f]],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0x974ed892, 0xc015dc67, 0x9f955760, 0xa1bba208],
    ],
  ];
  for (const [counter, words] of known) assertEquals([...pcg4d(counter)], words);
});

const cases: [string, number[], number, Partial<DropoutDraw>][] = [
  ["half of a row", [2, 4096], 0.5, {}],
  ["few of an image with padding", [3, 5, 7, 5], 0.3712, { part: 2 }],
  ["most of a large seed and step", [2, 10, 13, 13], 0.9, { seed: 0xfffffff1, step: 0x8000_0001 }],
  ["none", [1, 3, 4, 4], 0, { stream: 65535 }],
];

for (const [name, shape, ratio, changed] of cases) {
  Deno.test(`dropout() drops what its reference drops, both ways: ${name}`, async () => {
    const { stream, ...step } = { ...draw, ...changed };
    const input = randomTensor(shape, 1), gradOutput = randomTensor(shape, 2);
    const mask = dropoutMask(shape, ratio, { stream, ...step });
    const run: OpRun = { inputs: [input], gradOutputs: [gradOutput], stream, step };
    for (const inverted of [false, true]) {
      const { outputs, gradInputs } = await runOp(gpu, dropout({ ratio, inverted }), run);
      const factor = inverted ? 1 / (1 - ratio) : 1;
      const relative = inverted ? 1e-6 : 0;
      assertClose(outputs[0]!.data, applyMask(input, mask, factor).data, { relative });
      assertClose(gradInputs[0]!.data, applyMask(gradOutput, mask, factor).data, { relative });
    }
  });
}

Deno.test("dropout() keeps 1 - ratio of the numbers, each word of a vector alike", async () => {
  const shape = [8, 4, 64, 64], count = 8 * 64 * 64;
  for (const ratio of [0.5, 0.2]) {
    const mask = await maskOf(shape, ratio, draw);
    const kept = [0, 0, 0, 0];
    mask.forEach((value, i) => kept[Math.floor(i / 4096) % 4]! += value);
    // Five standard deviations of a binomial of 32,768 draws.
    const allowed = 5 * Math.sqrt(ratio * (1 - ratio) / count);
    for (const each of kept) assert(Math.abs(each / count - (1 - ratio)) < allowed, `${kept}`);
  }
});

Deno.test("dropout() repeats itself and differs by seed, step, part and stream", async () => {
  const shape = [4, 4096], count = 4 * 4096;
  const first = await maskOf(shape, 0.5, draw);
  assertClose(await maskOf(shape, 0.5, draw), first, { relative: 0 });
  for (const changed of [{ seed: 8 }, { step: 4 }, { part: 1 }, { stream: 6 }]) {
    const other = await maskOf(shape, 0.5, { ...draw, ...changed });
    const equal = other.reduce((sum, value, i) => sum + (value === first[i] ? 1 : 0), 0);
    // Independent masks agree in half of the places; five standard deviations.
    assert(Math.abs(equal / count - 0.5) < 2.5 / Math.sqrt(count), `${equal} of ${count} equal`);
  }
});

Deno.test("dropout() of a batch in parts drops what the whole batch does", async () => {
  const whole = await maskOf([6, 5, 3, 3], 0.5, draw);
  const parts = await Promise.all(
    [0, 1, 2].map((part) => maskOf([2, 5, 3, 3], 0.5, { ...draw, part })),
  );
  assertEquals(parts.flatMap((mask) => [...mask]), [...whole]);
});

for (const { name, attributes, tensors } of await readFixtureCases("dropout")) {
  Deno.test(`dropout() at evaluation equals PyTorch: ${name}`, async () => {
    const ratio = attributes.ratio as number;
    const input = tensors.get("input")!;
    const run: OpRun = { inputs: [input], training: false };
    const { outputs } = await runOp(gpu, dropout({ ratio }), run);
    assertClose(outputs[0]!.data, tensors.get("testOutput")!.data, { relative: 1e-6 });
    const inverted = await runOp(gpu, dropout({ ratio, inverted: true }), run);
    assertClose(inverted.outputs[0]!.data, input.data, { relative: 0 });
  });

  Deno.test(`dropout reference equals PyTorch: ${name}`, () => {
    const mask = tensors.get("mask")!.data;
    const output = applyMask(tensors.get("input")!, mask).data;
    assertClose(output, tensors.get("output")!.data, { relative: 0 });
    const gradient = applyMask(tensors.get("gradOutput")!, mask).data;
    assertClose(gradient, tensors.get("gradInput")!.data, { relative: 0 });
    checkGradients(
      ([x]) => [applyMask(x!, mask)],
      (_, [g]) => [applyMask(g!, mask)],
      [tensors.get("input")!],
    );
  });
}

Deno.test("dropout().toOnnx() multiplies by what is kept, or does nothing where inverted", () => {
  const shapes = [imageShape(8, 1, 1)];
  const context = {
    name: "drop6",
    inputs: ["x"],
    outputs: ["y"],
    inputShapes: shapes,
    outputShapes: shapes,
    parameters: [],
  };
  assertEquals(dropout({ ratio: 0.25 }).toOnnx(context), {
    nodes: [
      {
        opType: "Mul",
        name: "drop6",
        inputs: ["x", "drop6/kept"],
        outputs: ["y"],
        attributes: {},
      },
    ],
    initializers: [{ name: "drop6/kept", dims: [], data: Float32Array.of(0.75) }],
  });
  const { nodes, initializers } = dropout({ ratio: 0.25, inverted: true }).toOnnx(context);
  assertEquals([nodes[0]!.opType, initializers], ["Identity", []]);
});

Deno.test("dropout() refuses a ratio that is no probability", () => {
  for (const ratio of [-0.1, 1, NaN]) {
    assertThrows(() => dropout({ ratio }), RangeError, "ratio");
  }
});
