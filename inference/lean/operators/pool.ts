import type { OnnxNode } from "../../../shared/onnx/onnx_node.ts";
import { intOf, intsOf, need } from "../lookup.ts";
import type { Lowering } from "../lowering.ts";
import { type Call, inTasks, ranges } from "../step.ts";
import { Value } from "../value.ts";
import { padsOf } from "./product.ts";

const MAXIMUM = 0;
const MEAN_OF_MAP = 1;
const MEAN_WITH_PADS = 2;

/** MaxPool, AveragePool and GlobalAveragePool, with a ReLU behind. */
export function lowerPool(node: OnnxNode, lowering: Lowering): void {
  const input = lowering.value(node.inputs[0]!);
  need(node, input.kind === "f32", "int8 input");
  need(node, node.outputs.length === 1, "it gives indices");
  need(node, intsOf(node, "dilations", [1, 1]).every((step) => step === 1), "dilations");
  const { height, width } = input;
  const global = node.opType === "GlobalAveragePool";
  const kernel = (global ? [height, width] : intsOf(node, "kernel_shape", [])) as [number, number];
  need(node, kernel.length === 2, "no images");
  const strides = intsOf(node, "strides", [1, 1]) as [number, number];
  const pads = padsOf(node, input, kernel, strides);
  const outSize = (size: number, axis: 0 | 1) => {
    const padded = size + pads[axis] + pads[axis + 2]!;
    const steps = (padded - kernel[axis]) / strides[axis];
    if (intOf(node, "ceil_mode", 0) === 0) return Math.floor(steps) + 1;
    // A window that would begin behind the map is left out.
    const windows = Math.ceil(steps) + 1;
    return (windows - 1) * strides[axis] >= size + pads[axis] ? windows - 1 : windows;
  };
  const active = lowering.absorbRelu(node.outputs[0]!);
  const output = new Value(
    { channels: input.channels, height: outSize(height, 0), width: outSize(width, 1) },
    { nonNegative: input.nonNegative || active.relu },
  );
  need(node, output.height > 0 && output.width > 0, "its kernel is larger than its input");
  lowering.name(active.name, output);
  const mode = node.opType === "MaxPool"
    ? MAXIMUM
    : intOf(node, "count_include_pad", 0) === 1
    ? MEAN_WITH_PADS
    : MEAN_OF_MAP;
  lowering.add({
    label: `${node.opType} ${node.name}`,
    inputs: [input],
    outputs: [output],
    bind: (placed) => {
      const { at, batch } = placed;
      const [from, to] = [at(input), at(output)];
      const vectors = Math.ceil(input.channels / 4);
      const tasks = placed.tasks(batch * output.length * kernel[0] * kernel[1] * 0.2);
      const [top, ...otherPads] = pads;
      const calls: Call[] = [];
      for (let image = 0; image < batch; image++) {
        for (const rows of ranges(output.height, Math.ceil(tasks / batch))) {
          // Rows further down are as those of a map that begins higher up.
          const above = top - rows.from * strides[0];
          calls.push({
            kernel: "poolF32",
            // deno-fmt-ignore
            parameters: [
              from + image * input.imageBytes, height, width, input.rowBytes, input.pixelBytes,
              to + image * output.imageBytes + rows.from * output.rowBytes, rows.count,
              output.width, output.rowBytes, output.pixelBytes, vectors, ...kernel, ...strides,
              above, ...otherPads, mode, Number(active.relu),
            ],
          });
        }
      }
      return inTasks(calls, tasks);
    },
  });
}
