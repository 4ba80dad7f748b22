import { type FixtureTensor, readFixtureCases } from "../../../tests/fixtures/read_fixture.ts";
import { openGpu } from "../../gpu/device.ts";
import { assertClose, runOp } from "../op_harness.ts";
import { gemm } from "./gemm.ts";

const gpu = await openGpu();
const weightInit = { kind: "normal", std: 0.01 } as const;

for (const { name, tensors } of await readFixtureCases("linear")) {
  Deno.test(`gemm() equals PyTorch: ${name}`, async () => {
    const expected = (key: string): FixtureTensor => tensors.get(key)!;
    const op = gemm({ outputs: expected("bias").shape[0]!, weightInit });
    const result = await runOp(gpu, op, {
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
