import { assertEquals } from "@std/assert";
import { type FixtureTensor, readFixtureCases } from "../../../tests/fixtures/read_fixture.ts";
import { openGpu } from "../../gpu/device.ts";
import { assertClose, runOp } from "../op_harness.ts";
import { conv } from "./conv.ts";

const gpu = await openGpu();

for (const { name, attributes, tensors } of await readFixtureCases("conv")) {
  Deno.test(`conv() equals PyTorch: ${name}`, async () => {
    const expected = (key: string): FixtureTensor => tensors.get(key)!;
    const op = conv({
      outChannels: expected("output").shape[1]!,
      kernel: attributes.kernel_shape as [number, number],
      strides: attributes.strides as [number, number],
      pads: attributes.pads as [number, number, number, number],
      group: attributes.group as number,
      ceilMode: attributes.ceil_mode === 1,
      weightInit: { kind: "normal", std: 0.01 },
    });
    const result = await runOp(gpu, op, {
      inputs: [expected("input")],
      parameters: [expected("weight").data, expected("bias").data],
      gradOutputs: [expected("gradOutput")],
    });
    assertEquals(result.outputs[0]!.shape, expected("output").shape);
    assertClose(result.outputs[0]!.data, expected("output").data, { message: "output" });
    assertClose(result.gradInputs[0]!.data, expected("gradInput").data, { message: "gradInput" });
    const [weight, bias] = result.gradParameters;
    assertClose(weight!, expected("gradWeight").data, { message: "gradWeight" });
    assertClose(bias!, expected("gradBias").data, { message: "gradBias" });
  });
}
