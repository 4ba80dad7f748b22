/**
 * A locally connected layer: a convolution with weights of its own at every place. ONNX has no such
 * operator; training exports it as (training/ops/locally_connected/locally_connected_onnx.ts)
 *
 *     Conv [N, C R S, H, W] -> Reshape [N, C R S, P] -> Transpose [P, N, C R S]
 *     -> MatMul by [P, C R S, O] -> Add [P, 1, O] -> Transpose [N, O, P] -> Reshape [N, O, H, W]
 *
 * where the Conv's filters are single ones that copy each window into channels. Here each place is a
 * product of its weights with its window, and nothing is copied.
 * @module
 */
import type { OnnxNode } from "../../../shared/onnx/onnx_node.ts";
import type { Heap } from "../heap.ts";
import type { Kernels } from "../kernels/load_kernels.ts";
import { intOf, intsOf, need } from "../lookup.ts";
import type { Lowering } from "../lowering.ts";
import { type Call, inTasks } from "../step.ts";
import { Value } from "../value.ts";
import { packWeights, PANEL, type WeightLayout } from "../weights.ts";

/** The seven nodes of a layer, found from its first. */
interface Layer {
  readonly nodes: readonly OnnxNode[];
  readonly weights: string;
  readonly bias: string;
}

const BEHIND = ["Reshape", "Transpose", "MatMul", "Add", "Transpose", "Reshape"];

/** The layer that begins with this Conv; nothing where it is a convolution. */
export function findLayer(conv: OnnxNode, lowering: Lowering): Layer | undefined {
  if (conv.opType !== "Conv" || intOf(conv, "group", 1) === 1) return undefined;
  const nodes = [conv];
  for (const opType of BEHIND) {
    const node = lowering.next(nodes.at(-1)!.outputs[0]!, opType);
    if (!node) return undefined;
    nodes.push(node);
  }
  const [, , apart, product, sum, together] = nodes as [OnnxNode, ...OnnxNode[]] & OnnxNode[];
  const known = String(intsOf(apart!, "perm", [])) === "2,0,1" &&
    String(intsOf(together!, "perm", [])) === "1,2,0";
  return known ? { nodes, weights: product!.inputs[1]!, bias: sum!.inputs[1]! } : undefined;
}

export function lowerLayer(
  { nodes, weights, bias }: Layer,
  lowering: Lowering,
  { heap, kernels }: { readonly heap: Heap; readonly kernels: Kernels },
): void {
  const conv = nodes[0]!;
  const input = lowering.value(conv.inputs[0]!);
  const { channels } = input;
  const strides = intsOf(conv, "strides", [1, 1]) as [number, number];
  const [top, left, bottom, right] = intsOf(conv, "pads", [0, 0, 0, 0]) as number[];
  const ones = lowering.constant(conv.inputs[1]!);
  const [rows, columns] = ones.dims.slice(2) as [number, number];
  const height = Math.floor((input.height + top! + bottom! - rows) / strides[0]) + 1;
  const width = Math.floor((input.width + left! + right! - columns) / strides[1]) + 1;
  const taps = rows * columns;
  const matrix = lowering.constant(weights);
  const [places, window, outputs] = matrix.dims as [number, number, number];
  const copies = ones.dims[0] === channels * taps && intOf(conv, "group", 1) === channels &&
    conv.inputs[2] === undefined &&
    ones.numbers.every((number, i) => number === Number(Math.floor(i / taps) % taps === i % taps));
  need(
    conv,
    copies && window === channels * taps && places === height * width,
    "it copies no windows",
  );
  need(conv, input.kind === "f32", "int8 input");
  const biases = lowering.constant(bias).numbers;
  need(conv, biases.length === places * outputs, "a bias that is not of each place");
  input.widen({ top: top!, left: left!, bottom: bottom!, right: right! });
  for (const node of nodes) lowering.absorb(node);
  const active = lowering.absorbRelu(nodes.at(-1)!.outputs[0]!);
  const output = new Value({ channels: outputs, height, width }, { nonNegative: active.relu });
  lowering.name(active.name, output);
  const pixelLength = Math.ceil(channels / 4) * 4;
  // deno-fmt-ignore
  const layout: WeightLayout = {
    kind: "f32", outputs, groups: 1, channels, kernel: [rows, columns], pixelLength,
    rowLength: columns * pixelLength, outputsFirst: true,
  };
  const addresses = Array.from({ length: places }, (_, place) => {
    const { packed, sink } = packWeights(heap, kernels, layout);
    const from = place * window * outputs;
    // [window, outputs] → [outputs, window]
    const turned = Float32Array.from(
      { length: window * outputs },
      (_, i) => matrix.numbers[from + i % window * outputs + Math.floor(i / window)]!,
    );
    sink(new Uint8Array(turned.buffer));
    return packed.address;
  });
  lowering.add({
    label: `LocallyConnected ${conv.name}`,
    inputs: [input],
    outputs: [output],
    bind: ({ heap, at, batch, tasks }) => {
      need(conv, input.pixelBytes === pixelLength * 4, "its input is a part of a tensor");
      const padded = new Float32Array(places * Math.ceil(outputs / PANEL) * PANEL);
      const perPlace = padded.length / places;
      biases.forEach((number, i) =>
        padded[Math.floor(i / outputs) * perPlace + i % outputs] = number
      );
      const biasAt = heap.keepFloats(padded);
      const images = Array.from({ length: batch }, (_, image) => image);
      const windows = heap.keepIntegers(Int32Array.from([
        ...images.map((image) => image * input.imageBytes),
        ...images.map((image) => image * output.imageBytes),
      ]));
      const tapAt = heap.keepIntegers(
        Int32Array.from({ length: rows }, (_, row) => row * input.rowBytes),
      );
      const origin = at(input) - top! * input.rowBytes - left! * input.pixelBytes;
      const whole = Math.ceil(outputs / 4) * 4;
      const calls = addresses.map((address, place): Call => {
        const [y, x] = [Math.floor(place / width), place % width];
        return {
          kernel: "productF32",
          // deno-fmt-ignore
          parameters: [
            origin + y * strides[0] * input.rowBytes + x * strides[1] * input.pixelBytes, windows,
            batch, tapAt, rows, columns * input.pixelBytes, address, biasAt + place * perPlace * 4,
            whole, at(output) + y * output.rowBytes + x * output.pixelBytes, Number(active.relu),
          ],
        };
      });
      return inTasks(calls, tasks(batch * places * window * outputs / 20));
    },
  });
}
