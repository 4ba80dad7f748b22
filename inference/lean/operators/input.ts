import { need } from "../lookup.ts";
import type { Lowering } from "../lowering.ts";
import { type Call, inTasks } from "../step.ts";
import { Value } from "../value.ts";
import { isTight } from "./weight_use.ts";

/**
 * The first step: planes of float32 as ONNX has them → pixels, less a mean image and quantised where
 * the graph begins with that.
 *
 * @returns the planes, where the caller writes each image
 */
export function lowerInput(
  name: string,
  shape: { readonly channels: number; readonly height: number; readonly width: number },
  lowering: Lowering,
): Value {
  const { channels, height, width } = shape;
  const planes = new Value({ channels: channels * height * width, height: 1, width: 1 });
  // As the caller has them: nothing is rounded up.
  planes.tighten();
  const centred = absorbOffset(name, planes.channels, lowering);
  const rounded = lowering.absorbQuantization(centred.name, false, true);
  const read = rounded?.name ?? centred.name;
  const output = new Value(shape, { ...rounded });
  if (isTight(read, lowering.lookup, name)) output.tighten();
  lowering.name(read, output);
  lowering.add({
    label: `input ${name}`,
    inputs: [planes],
    outputs: [output],
    bind: ({ heap, at, batch, tasks }) => {
      const [from, to] = [at(planes), at(output)];
      const offset = centred.offset ? heap.keepFloats(centred.offset) : 0;
      const { quantization } = rounded ?? {};
      const rounding = quantization ? [quantization.step, quantization.zero, quantization.low] : [];
      const calls = Array.from({ length: batch }, (_, image): Call => ({
        kernel: quantization ? "pixelsI7" : "pixelsF32",
        // deno-fmt-ignore
        parameters: [
          from + image * planes.imageBytes, offset, channels, height, width,
          to + image * output.imageBytes, output.rowBytes, output.pixelBytes, ...rounding,
        ],
      }));
      return inTasks(calls, tasks(batch * planes.length * 0.5));
    },
  });
  return planes;
}

/** The mean image that the first node subtracts. */
function absorbOffset(
  name: string,
  length: number,
  lowering: Lowering,
): { readonly name: string; readonly offset?: Float32Array } {
  const node = lowering.next(name, "Sub");
  if (!node || !lowering.isConstant(node.inputs[1]!)) return { name };
  const { numbers } = lowering.constant(node.inputs[1]!);
  if (numbers.length !== length) return { name };
  need(node, node.inputs[0] === name, "the input is not what is subtracted from");
  lowering.absorb(node);
  return { name: node.outputs[0]!, offset: numbers };
}
