import type { OnnxNode } from "../../../shared/onnx/onnx_node.ts";
import { floatOf, intOf, need } from "../lookup.ts";
import { like, type Lowering } from "../lowering.ts";
import { pixelTasks } from "../step.ts";

/** Local response normalisation across channels. */
export function lowerLrn(node: OnnxNode, lowering: Lowering): void {
  const input = lowering.value(node.inputs[0]!);
  need(node, input.kind === "f32", "int8 input");
  const output = like(input);
  lowering.name(node.outputs[0]!, output);
  const size = intOf(node, "size", 1);
  const alpha = floatOf(node, "alpha", 1e-4) / size;
  const beta = floatOf(node, "beta", 0.75);
  const bias = floatOf(node, "bias", 1);
  lowering.add({
    label: `LRN ${node.name}`,
    inputs: [input],
    outputs: [output],
    bind: (placed) => {
      const tasks = placed.tasks(placed.batch * input.length * (beta === 0.75 ? 1.2 : 10));
      // Scratch of each task.
      const squares = Array.from(
        { length: tasks },
        () => placed.heap.keepFloats(new Float32Array(input.channels + size + 8)),
      );
      return pixelTasks(
        placed,
        [input, output],
        tasks,
        ({ addresses: [from, to], pixels }, task) => ({
          kernel: "lrnF32",
          // deno-fmt-ignore
          parameters: [
            from!, input.pixelBytes, to!, output.pixelBytes, pixels, input.channels,
            squares[task]!, size, alpha, beta, bias,
          ],
        }),
      );
    },
  });
}
