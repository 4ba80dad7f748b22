import { assertEquals, assertThrows } from "@std/assert";
import { readFixtureCases } from "../../../tests/fixtures/read_fixture.ts";
import { openGpu } from "../../gpu/device.ts";
import { checkGradients } from "../check_gradients.ts";
import { imageShape } from "../op.ts";
import { assertClose, randomTensor, runOp, type Tensor } from "../op_harness.ts";
import { locallyConnected, type LocallyConnectedAttributes } from "./locally_connected.ts";
import {
  locallyConnectedBackward,
  locallyConnectedForward,
  type LocalSizes,
} from "./locally_connected_reference.ts";

const gpu = await openGpu();

const weightInit = { kind: "constant", value: 0 } as const;
const k3 = { kernel: [3, 3], pads: [1, 1, 1, 1], weightInit } as const;

const cases: [string, LocallyConnectedAttributes, number[]][] = [
  ["one place", { outChannels: 5, kernel: [3, 2], weightInit }, [2, 3, 3, 2]],
  ["padded, channels of no four", { ...k3, outChannels: 6 }, [3, 5, 4, 5]],
  ["one image", { ...k3, outChannels: 4 }, [1, 4, 3, 3]],
  ["nine images", { ...k3, outChannels: 8 }, [9, 8, 3, 4]],
  ["strides, uneven pads", {
    outChannels: 7,
    kernel: [3, 2],
    strides: [2, 3],
    pads: [0, 1, 2, 0],
    weightInit,
  }, [2, 3, 6, 8]],
  ["a window of one", { outChannels: 3, kernel: [1, 1], weightInit }, [5, 2, 2, 3]],
];

/** The case's tensors and sizes. */
function given(attributes: LocallyConnectedAttributes, shape: number[]) {
  const op = locallyConnected(attributes);
  const [, channels, height, width] = shape as [number, number, number, number];
  const shapes = [imageShape(channels, height, width)];
  const [output] = op.outputShapes(shapes);
  const [weight, bias] = op.parameters(shapes).map((spec, i) => randomTensor(spec.shape, 5 + i));
  const sizes: LocalSizes = {
    strides: attributes.strides ?? [1, 1],
    pads: attributes.pads ?? [0, 0],
    output: [output!.height, output!.width],
  };
  const gradOutput = randomTensor([shape[0]!, output!.channels, ...sizes.output], 2);
  return { op, sizes, input: randomTensor(shape, 1), weight: weight!, bias: bias!, gradOutput };
}

for (const [name, attributes, shape] of cases) {
  Deno.test(`locallyConnected() equals its reference: ${name}`, async () => {
    const { op, sizes, input, weight, bias, gradOutput } = given(attributes, shape);
    const run = { inputs: [input], parameters: [weight.data, bias.data] };
    const gradOutputs = [gradOutput];
    const result = await runOp(gpu, op, { ...run, gradOutputs });
    const expected = locallyConnectedForward(input, weight, bias, sizes);
    assertEquals(result.outputs[0]!.shape, expected.shape);
    assertClose(result.outputs[0]!.data, expected.data, { relative: 1e-6 });
    const gradients = locallyConnectedBackward(input, weight, gradOutput, sizes);
    assertClose(result.gradInputs[0]!.data, gradients[0].data, { relative: 1e-6 });
    assertClose(result.gradParameters[0]!, gradients[1].data, { relative: 1e-6 });
    assertClose(result.gradParameters[1]!, gradients[2].data, { relative: 1e-6 });

    const before = [weight, bias].map(({ data }) => Float32Array.from(data));
    const added = await runOp(gpu, op, {
      ...run,
      gradOutputs,
      accumulate: before,
      needsGradInput: [false],
    });
    for (const i of [0, 1] as const) {
      const sum = before[i]!.map((value, at) => value + gradients[i + 1]!.data[at]!);
      assertClose(added.gradParameters[i]!, sum, { relative: 1e-6 });
    }
  });

  Deno.test(`locallyConnected reference agrees with finite differences: ${name}`, () => {
    const { sizes, input, weight, bias } = given(attributes, [2, ...shape.slice(1)]);
    checkGradients(
      ([x, w, b]) => [locallyConnectedForward(x!, w!, b!, sizes)],
      ([x, w], [g]) => locallyConnectedBackward(x!, w!, g!, sizes),
      [input, weight, bias],
      { step: 0.1 },
    );
  });
}

for (const { name, attributes, tensors } of await readFixtureCases("locally_connected")) {
  Deno.test(`locallyConnected() equals PyTorch: ${name}`, async () => {
    const tensor = (key: string): Tensor => tensors.get(key)!;
    const op = locallyConnected({
      outChannels: tensor("weight").shape[1]!,
      kernel: attributes.kernel_shape as [number, number],
      strides: attributes.strides as [number, number],
      pads: attributes.pads as [number, number, number, number],
      weightInit,
    });
    const result = await runOp(gpu, op, {
      inputs: [tensor("input")],
      parameters: [tensor("weight").data, tensor("bias").data],
      gradOutputs: [tensor("gradOutput")],
    });
    assertClose(result.outputs[0]!.data, tensor("output").data);
    assertClose(result.gradInputs[0]!.data, tensor("gradInput").data);
    assertClose(result.gradParameters[0]!, tensor("gradWeight").data);
    assertClose(result.gradParameters[1]!, tensor("gradBias").data);
  });
}

Deno.test("locallyConnected() counts places times a convolution's weights", () => {
  const op = locallyConnected({ ...k3, outChannels: 32 });
  const shapes = [imageShape(64, 6, 6)];
  const counts = op.parameters(shapes).map(({ shape }) => shape.reduce((a, b) => a * b, 1));
  assertEquals(counts, [36 * 32 * 64 * 9, 36 * 32]);
  assertEquals(op.multiplyAdds(shapes), 36 * 32 * 64 * 9);
});

Deno.test("locallyConnected() refuses padding as large as the kernel", () => {
  assertThrows(
    () => locallyConnected({ ...k3, outChannels: 4, pads: [3, 0, 0, 0] }),
    RangeError,
    "Cannot make LocallyConnected: pads [3,0,0,0]",
  );
});
