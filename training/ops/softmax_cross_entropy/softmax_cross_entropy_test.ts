import { readFixtureCases } from "../../../tests/fixtures/read_fixture.ts";
import { openGpu } from "../../gpu/device.ts";
import { assertClose, runOp } from "../op_harness.ts";
import { softmaxCrossEntropy } from "./softmax_cross_entropy.ts";

const gpu = await openGpu();

for (const { name, tensors } of await readFixtureCases("softmax_cross_entropy")) {
  Deno.test(`softmaxCrossEntropy() equals PyTorch: ${name}`, async () => {
    const result = await runOp(gpu, softmaxCrossEntropy(), {
      inputs: [tensors.get("logits")!],
      labels: [...tensors.get("labels")!.data],
      backward: true,
    });
    assertClose(result.outputs[0]!.data, tensors.get("probabilities")!.data);
    assertClose(result.gradInputs[0]!.data, tensors.get("gradLogits")!.data);
    const losses = result.losses.filter((_, i) => i % 3 === 0);
    assertClose(losses, tensors.get("losses")!.data);
  });
}
