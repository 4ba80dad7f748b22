/**
 * int8 and float16 weights whose products read float32. Those of a fully connected layer stay as
 * narrow in memory; a convolution uses each of its few weights often, so these are float32 from the
 * start.
 * @module
 */
import type { OnnxNode } from "../../../shared/onnx/onnx_node.ts";
import type { Heap } from "../heap.ts";
import type { Kernels } from "../kernels/load_kernels.ts";
import { need } from "../lookup.ts";
import type { Lowering } from "../lowering.ts";
import { type Call, type Placed, ranges, type Task } from "../step.ts";
import type { Value } from "../value.ts";
import { type PackedWeights, PANEL } from "../weights.ts";
import { BINARY } from "./elementwise.ts";

/** The scale of each output of a product's int8 weights, in front of or behind which they arrived. */
export function weightScales(
  node: OnnxNode,
  { layout: { outputs } }: PackedWeights,
  lowering: Lowering,
): Float32Array {
  const dequantize = lowering.lookup.producer(node.inputs[1]!)!;
  const scales = lowering.constant(dequantize.inputs[1]!).numbers;
  if (scales.length === outputs) return scales;
  need(node, scales.length === 1, `${scales.length} scales for ${outputs} outputs`);
  return new Float32Array(outputs).fill(scales[0]!);
}

/** Multiplies a convolution's weights, float32 by now, with the scales of their outputs. */
export function applyScales(
  { address, groupBytes, panels, layout: { outputs, groups } }: PackedWeights,
  scales: Float32Array,
  { heap, kernels }: { readonly heap: Heap; readonly kernels: Kernels },
): void {
  const mark = heap.end;
  const perGroup = outputs / groups;
  for (let group = 0; group < groups; group++) {
    const padded = new Float32Array(panels * PANEL);
    padded.set(scales.subarray(group * perGroup, (group + 1) * perGroup));
    const at = heap.keepFloats(padded);
    kernels.scalePanels(address + group * groupBytes, panels, groupBytes / panels / PANEL / 4, at);
    heap.release(mark);
  }
}

/** What the input and the sums of float16 weights are multiplied with: see kernels/product_narrow.ts. */
const INPUT_F16 = 2 ** 64;
const SCALE_F16 = 2 ** 38;

/** Multiply-adds that one thread does in a nanosecond, about, and weights that it reads. */
const SPEED = { products: 16, weights: 10 };

/** The calls that compute all images' outputs of a fully connected layer. */
export function bindNarrow(
  { heap, batch, at, tasks }: Placed,
  { input, output, packed, scales, bias, relu }: {
    readonly input: Value;
    readonly output: Value;
    readonly packed: PackedWeights;
    /** Of int8. */
    readonly scales: Float32Array | undefined;
    readonly bias: Float32Array;
    readonly relu: boolean;
  },
): readonly Task[] {
  const { layout: { kind, channels, rowLength, outputs }, panels, groupBytes, address } = packed;
  const length = rowLength * 4;
  const factors = kind === "f16"
    ? heap.keepFloats(new Float32Array(rowLength).fill(INPUT_F16))
    : undefined;
  const images = Array.from({ length: batch }, (_, image) => image);
  const windows = heap.keepIntegers(Int32Array.from([
    ...images.map((image) => image * (factors ? length : input.imageBytes)),
    ...images.map((image) => image * output.imageBytes),
  ]));
  const padded = new Float32Array(2 * panels * PANEL);
  padded.set(scales ?? new Float32Array(outputs).fill(SCALE_F16));
  padded.set(bias, panels * PANEL);
  const scalesAt = heap.keepFloats(padded);
  const nanoseconds = channels * outputs * Math.max(batch / SPEED.products, 1 / SPEED.weights);
  return ranges(panels, tasks(nanoseconds)).map(({ from, count }): Task => {
    const first = from * PANEL;
    // Of each task by itself: it is multiplied sooner than waited for.
    const multiplied = factors ? heap.take(batch * length) : at(input);
    const product: Call = {
      kernel: kind === "i8" ? "productI8F32" : "productF16",
      // deno-fmt-ignore
      parameters: [
        multiplied, windows, batch, length, address + from * (groupBytes / panels),
        scalesAt + first * 4, panels * PANEL * 4,
        Math.min(count * PANEL, Math.ceil(outputs / 4) * 4 - first), at(output) + first * 4,
        Number(relu),
      ],
    };
    if (!factors) return [product];
    // deno-fmt-ignore
    const parameters = [
      BINARY.get("Mul")!, at(input), input.imageBytes, factors, 0, multiplied, length, batch, rowLength,
    ];
    return [{ kernel: "binaryF32", parameters }, product];
  });
}
