import type { OnnxNode } from "../../../shared/onnx/onnx_node.ts";
import { intOf, need } from "../lookup.ts";
import type { Lowering } from "../lowering.ts";
import { type Call, inTasks, pixelTasks } from "../step.ts";
import { Value } from "../value.ts";

/** Flatten, or a Reshape that does the same: [channels][height][width] as one vector. */
export function lowerFlatten(node: OnnxNode, lowering: Lowering): void {
  const input = lowering.value(node.inputs[0]!);
  const { channels, height, width } = input;
  if (node.opType === "Flatten") {
    need(node, intOf(node, "axis", 1) === 1, "another axis than 1");
  } else {
    const shape = [...lowering.constant(node.inputs[1]!).numbers];
    const flat = shape.length === 2 && (shape[1] === -1 || shape[1] === channels * height * width);
    need(node, flat && intOf(node, "allowzero", 0) === 0, `the shape [${shape}]`);
  }
  const name = node.outputs[0]!;
  if (height === 1 && width === 1) return lowering.name(name, input);
  need(node, input.kind === "f32", "int8 input");
  const { nonNegative } = input;
  const output = new Value(
    { channels: channels * height * width, height: 1, width: 1 },
    { nonNegative },
  );
  lowering.name(name, output);
  lowering.add({
    label: `${node.opType} ${node.name}`,
    inputs: [input],
    outputs: [output],
    bind: ({ at, batch, tasks }) => {
      const [from, to] = [at(input), at(output)];
      const calls = Array.from({ length: batch }, (_, image): Call => ({
        kernel: "planesF32",
        // deno-fmt-ignore
        parameters: [
          from + image * input.imageBytes, input.rowBytes, input.pixelBytes, channels, height,
          width, to + image * output.imageBytes,
        ],
      }));
      return inTasks(calls, tasks(batch * input.length));
    },
  });
}

/** Softmax over a vector. */
export function lowerSoftmax(node: OnnxNode, lowering: Lowering): void {
  const input = lowering.value(node.inputs[0]!);
  need(node, input.kind === "f32" && input.height === 1 && input.width === 1, "a map");
  need(node, [1, -1].includes(intOf(node, "axis", -1)), "another axis than the classes");
  const output = new Value(input, { nonNegative: true });
  lowering.name(node.outputs[0]!, output);
  lowering.add({
    label: `Softmax ${node.name}`,
    inputs: [input],
    outputs: [output],
    bind: ({ at, batch, tasks }) => {
      const [from, to] = [at(input), at(output)];
      const calls = Array.from({ length: batch }, (_, image): Call => ({
        kernel: "softmaxF32",
        parameters: [
          from + image * input.imageBytes,
          to + image * output.imageBytes,
          input.channels,
        ],
      }));
      return inTasks(calls, tasks(batch * input.length * 10));
    },
  });
}

/** [Clip →] QuantizeLinear → DequantizeLinear that no product stores for. */
export function lowerQuantize(node: OnnxNode, lowering: Lowering): void {
  const name = node.inputs[0]!;
  const input = lowering.value(name);
  need(node, input.kind === "f32", "twice");
  const rounded = lowering.absorbQuantization(name, input.nonNegative);
  need(node, rounded !== undefined, "its input has other readers");
  const { quantization } = rounded;
  const output = new Value(input, { nonNegative: input.nonNegative, quantization });
  lowering.name(rounded.name, output);
  lowering.add({
    label: `QuantizeLinear ${node.name}`,
    inputs: [input],
    outputs: [output],
    bind: (placed) => {
      const { step, zero, low } = quantization;
      const tasks = placed.tasks(placed.batch * input.length * 0.3);
      return pixelTasks(placed, [input, output], tasks, ({ addresses: [from, to], pixels }) => ({
        kernel: "quantizeI7",
        // deno-fmt-ignore
        parameters: [
          from!, input.pixelBytes, to!, output.pixelBytes, pixels, input.channels, step, zero, low,
        ],
      }));
    },
  });
}
