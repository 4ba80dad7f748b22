/** Fully connected layers whose weights are 4 bits with a scale for each block: see kernels/product_i4.ts. */
import type { OnnxNode } from "../../../shared/onnx/onnx_node.ts";
import { need } from "../lookup.ts";
import type { Lowering } from "../lowering.ts";
import { type Call, type Placed, ranges, type Task } from "../step.ts";
import type { Value } from "../value.ts";
import { type PackedWeights, PANEL } from "../weights.ts";

/** Weights in blocks, and the scale of each block: float32 [panel][block][8]. */
export interface BlockWeights {
  readonly weights: PackedWeights;
  readonly scales: PackedWeights;
}

/** Weights and scales were packed as they arrived, these behind those. */
export function blockWeights(
  node: OnnxNode,
  weights: PackedWeights,
  lowering: Lowering,
): BlockWeights {
  const dequantize = lowering.lookup.producer(node.inputs[1]!)!;
  const scales = lowering.packed(dequantize.inputs[1]!);
  need(node, scales !== undefined, "the scales of its blocks are expected behind its weights");
  const { channels, block, outputs } = weights.layout;
  const blocks = Math.ceil(channels / block!);
  const fits = scales.layout.channels === blocks && scales.layout.outputs === outputs;
  need(node, fits, `scales of another shape than [${blocks}, ${outputs}]`);
  return { weights, scales };
}

/** 4-bit weights that one thread multiplies and adds in a nanosecond, and those that it reads. */
const SPEED = { products: 80, weights: 40 };

/** The calls that compute all images' outputs. */
export function bindBlocks(
  placed: Placed,
  { input, output, blocks, bias, relu, step }: {
    readonly input: Value;
    readonly output: Value;
    readonly blocks: BlockWeights;
    readonly bias: Float32Array;
    readonly relu: boolean;
    /** Of the output's 7 bits; 0 for float32. */
    readonly step: number;
  },
): readonly Task[] {
  const { kernels, heap, batch, at } = placed;
  const { weights, scales } = blocks;
  const { layout: { rowLength: length, block, outputs }, panels } = weights;
  const images = Array.from({ length: batch }, (_, image) => image);
  const windows = heap.keepIntegers(Int32Array.from([
    ...images.map((image) => image * input.imageBytes),
    ...images.map((image) => image * output.imageBytes),
  ]));
  const { step: inputStep, zero } = input.quantization!;
  const biases = new Float32Array(panels * PANEL);
  biases.set(bias);
  if (zero !== 0) {
    weightSums({ kernels, heap }, blocks).forEach((sum, o) => biases[o]! -= zero * inputStep * sum);
  }
  const biasesAt = heap.keepFloats(biases);
  const [from, to] = [at(input), at(output)];
  const nanoseconds = length * outputs * Math.max(batch / SPEED.products, 1 / SPEED.weights);
  return ranges(panels, placed.tasks(nanoseconds)).map((range): Task => {
    // Of each task by itself: they are made sooner than waited for.
    const sums = heap.take(4 * batch * Math.ceil(length / block!));
    const first = range.from * PANEL;
    const parts: Call[] = [
      { kernel: "blockSums", parameters: [from, windows, batch, length, block!, sums] },
      {
        kernel: "productI4",
        // deno-fmt-ignore
        parameters: [
          from, windows, batch, length, block!, sums,
          weights.address + range.from * (weights.groupBytes / panels),
          scales.address + range.from * (scales.groupBytes / panels), inputStep,
          biasesAt + first * 4, Math.min(range.count * PANEL, Math.ceil(outputs / 4) * 4 - first),
          to + first * output.size, Number(relu), step,
        ],
      },
    ];
    return parts;
  });
}

/** The sum of each output's real weights: what a zero point of 1 adds to its product. */
function weightSums(
  { kernels, heap }: Pick<Placed, "kernels" | "heap">,
  { weights, scales }: BlockWeights,
): Float32Array {
  const { layout: { rowLength: length, block }, panels } = weights;
  const outputs = panels * PANEL;
  const mark = heap.end;
  const ones = heap.take(length);
  heap.bytes(ones, length).fill(1);
  const windows = heap.keepIntegers(Int32Array.of(0, 0));
  const sums = heap.take(4 * Math.ceil(length / block!));
  const biases = heap.keepFloats(new Float32Array(outputs));
  const results = heap.take(4 * outputs);
  kernels.blockSums(ones, windows, 1, length, block!, sums);
  // deno-fmt-ignore
  kernels.productI4(
    ones, windows, 1, length, block!, sums, weights.address, scales.address, 1, biases, outputs,
    results, 0, 0,
  );
  const found = heap.floats(results, outputs).slice();
  heap.release(mark);
  return found;
}
