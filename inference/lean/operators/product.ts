/**
 * Convolutions and fully connected layers: a product of weights with windows of the input. A fully
 * connected layer is a convolution of 1 x 1 over a map of 1 x 1.
 * @module
 */
import type { OnnxNode } from "../../../shared/onnx/onnx_node.ts";
import { floatOf, intOf, intsOf, need, stringOf } from "../lookup.ts";
import type { Lowering, Quantization } from "../lowering.ts";
import { type Call, inTasks, type Placed, type Range, ranges, type Task } from "../step.ts";
import { type Border, Value } from "../value.ts";
import { type PackedWeights, PANEL } from "../weights.ts";
import { bindBlocks, blockWeights } from "./product_i4.ts";
import { bindNarrow, weightScales } from "./product_narrow.ts";
import { weightSums } from "./weight_sums.ts";

interface Windows {
  readonly outHeight: number;
  readonly outWidth: number;
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly top: number;
  readonly left: number;
}

/** Numbers of each output: the start of its sum, what the sum is multiplied with, the bias. */
interface Outputs {
  readonly bias: Float32Array;
  /** Of int8 weights. */
  readonly scales?: Float32Array;
}

export function lowerProduct(node: OnnxNode, lowering: Lowering): void {
  const input = lowering.value(node.inputs[0]!);
  const packed = lowering.packed(node.inputs[1]!);
  need(node, packed !== undefined, "its weights are not constant, or of a form it does not take");
  const { layout } = packed;
  need(node, layout.channels * layout.groups === input.channels, "its input has other channels");
  const windows = windowsOf(node, input, layout.kernel);
  const integers = input.kind === "i7";
  const kinds = integers ? ["i8", "i4"] : node.opType === "Conv" ? ["f32"] : ["f32", "f16", "i8"];
  need(node, kinds.includes(layout.kind), `${layout.kind} weights with ${input.kind} input`);
  const { name: sum, bias } = biasOf(node, layout.outputs, lowering);
  const active = lowering.absorbRelu(sum);
  // A step behind a ReLU alone: the product stores 7 bits without a zero point.
  const rounded = active.relu && integers && (layout.outputs / layout.groups) % 4 === 0
    ? lowering.absorbQuantization(active.name, true)
    : undefined;
  need(node, rounded?.quantization.zero !== 64, "a zero point behind a ReLU");
  const output = new Value(
    { channels: layout.outputs, height: windows.outHeight, width: windows.outWidth },
    { nonNegative: active.relu, ...rounded },
  );
  need(node, layout.groups === 1 || layout.outputs / layout.groups % 4 === 0, "groups of outputs");
  lowering.name(rounded?.name ?? active.name, output);
  const blocks = layout.kind === "i4" ? blockWeights(node, packed, lowering) : undefined;
  lowering.add({
    label: `${node.opType} ${node.name}`,
    inputs: [input],
    outputs: [output],
    bind: (placed) => {
      if (blocks) {
        const step = rounded?.quantization.step ?? 0;
        return bindBlocks(placed, { input, output, blocks, bias, relu: active.relu, step });
      }
      const scales = layout.kind === "i8" ? weightScales(node, packed, lowering) : undefined;
      if (!integers && layout.kind !== "f32") {
        return bindNarrow(placed, { input, output, packed, scales, bias, relu: active.relu });
      }
      const numbers = { bias, ...scales ? { scales } : {} };
      return bind(placed, {
        node,
        input,
        output,
        packed,
        windows,
        numbers,
        relu: active.relu,
        quantization: rounded?.quantization,
      });
    },
  });
}

/** The third input, or an Add behind. */
function biasOf(
  node: OnnxNode,
  outputs: number,
  lowering: Lowering,
): { readonly name: string; readonly bias: Float32Array } {
  const name = node.outputs[0]!;
  if (node.opType === "Gemm") {
    const plain = floatOf(node, "alpha", 1) === 1 && floatOf(node, "beta", 1) === 1 &&
      intOf(node, "transA", 0) === 0;
    need(node, plain, "alpha, beta or transA");
  }
  if (node.inputs[2]) {
    const bias = lowering.constant(node.inputs[2]).numbers;
    need(node, bias.length === outputs || bias.length === 1, "a bias that is no vector");
    return {
      name,
      bias: bias.length === outputs ? bias : new Float32Array(outputs).fill(bias[0]!),
    };
  }
  const add = lowering.lookup.onlyConsumer(name);
  const other = add?.opType === "Add" ? add.inputs.find((each) => each !== name) : undefined;
  if (add && other && lowering.isConstant(other)) {
    const { dims, numbers } = lowering.constant(other);
    // [outputs] lies along a vector's numbers, [outputs, 1, 1] along a map's channels.
    const along = node.opType === "Conv" ? dims.at(-3) : dims.at(-1);
    if (numbers.length === outputs && along === outputs) {
      lowering.absorb(add);
      return { name: add.outputs[0]!, bias: numbers };
    }
  }
  return { name, bias: new Float32Array(outputs) };
}

function windowsOf(node: OnnxNode, input: Value, [rows, columns]: readonly number[]): Windows {
  if (node.opType !== "Conv") {
    need(node, input.height === 1 && input.width === 1, "its input is a map (flatten it)");
    const one = [1, 1] as const;
    return { outHeight: 1, outWidth: 1, strides: one, dilations: one, top: 0, left: 0 };
  }
  const strides = intsOf(node, "strides", [1, 1]) as [number, number];
  const dilations = intsOf(node, "dilations", [1, 1]) as [number, number];
  const [height, width] = [(rows! - 1) * dilations[0] + 1, (columns! - 1) * dilations[1] + 1];
  const [top, left, bottom, right] = padsOf(node, input, [height, width], strides);
  const outHeight = Math.floor((input.height + top + bottom - height) / strides[0]) + 1;
  const outWidth = Math.floor((input.width + left + right - width) / strides[1]) + 1;
  need(node, outHeight > 0 && outWidth > 0, "its kernel is larger than its input");
  input.widen({ top, left, bottom, right } satisfies Border);
  return { outHeight, outWidth, strides, dilations, top, left };
}

/** [top, left, bottom, right], also where a file asks for "as large as the input" (auto_pad). */
export function padsOf(
  node: OnnxNode,
  input: Value,
  kernel: readonly [number, number],
  strides: readonly [number, number],
): [number, number, number, number] {
  const mode = stringOf(node, "auto_pad", "NOTSET");
  if (mode === "NOTSET") {
    const pads = intsOf(node, "pads", [0, 0, 0, 0]);
    need(node, pads.every((pad) => pad >= 0), "negative pads");
    return pads as [number, number, number, number];
  }
  if (mode === "VALID") return [0, 0, 0, 0];
  need(node, mode === "SAME_UPPER" || mode === "SAME_LOWER", `auto_pad ${mode}`);
  const total = [input.height, input.width].map((size, i) =>
    Math.max(0, (Math.ceil(size / strides[i]!) - 1) * strides[i]! + kernel[i]! - size)
  ) as [number, number];
  const less = total.map((pad) => Math.floor(pad / 2)) as [number, number];
  const more = total.map((pad, i) => pad - less[i]!) as [number, number];
  return mode === "SAME_UPPER" ? [...less, ...more] : [...more, ...less];
}

/** Windows of an image up to which several images share a call, so that a tile is full. */
const FEW_WINDOWS = 64;

/** Multiply-adds that one thread does in a nanosecond, about, and bytes of weights that it reads. */
const SPEED = { floats: 30, integers: 100, bytes: 25 };

/** Windows of two tiles of either height: no part has so few that they would be summed one by one. */
const WINDOWS_AT_ONCE = 12;

interface Product {
  readonly node: OnnxNode;
  readonly input: Value;
  readonly output: Value;
  readonly packed: PackedWeights;
  readonly windows: Windows;
  readonly numbers: Outputs;
  readonly relu: boolean;
  readonly quantization: Quantization | undefined;
}

function bind(placed: Placed, product: Product): readonly Task[] {
  const { node, input, output, packed, windows } = product;
  const { layout } = packed;
  const count = windows.outHeight * windows.outWidth;
  const together = count <= FEW_WINDOWS ? placed.batch : 1;
  const taps = tapTable(node, input, packed, windows);
  const tapAt = placed.heap.keepIntegers(taps.offsets);
  const tasks = placed.tasks(nanoseconds(product, placed.batch));
  // Whichever of weights and input is larger is read by one thread each.
  const byOutputs = packed.groupBytes * layout.groups > input.imageBytes * together;
  const parts = Math.ceil(tasks / layout.groups);
  const panels = ranges(packed.panels, byOutputs ? parts : 1);
  const tables = ranges(together * count, byOutputs ? 1 : parts, WINDOWS_AT_ONCE).map((range) => ({
    count: range.count,
    at: placed.heap.keepIntegers(windowTable(input, output, windows, range)),
  }));
  const origin = placed.at(input) - windows.top * input.rowBytes - windows.left * input.pixelBytes;
  const calls: Call[] = [];
  for (let group = 0; group < layout.groups; group++) {
    const from = origin + group * layout.channels * input.size;
    const pack = groupOutputs(placed, product, group, taps);
    for (const range of panels) {
      for (const table of tables) {
        for (let image = 0; image < placed.batch; image += together) {
          // deno-fmt-ignore
          const common = [
            from + image * input.imageBytes, table.at, table.count, tapAt, taps.offsets.length,
            taps.bytes,
          ];
          calls.push(pack(common, range, image));
        }
      }
    }
  }
  return inTasks(calls, tasks);
}

function nanoseconds({ packed, windows }: Product, batch: number): number {
  const { layout, groupBytes } = packed;
  const bytes = groupBytes * layout.groups;
  const floats = layout.kind === "f32";
  const products = bytes / (floats ? 4 : 1) * batch * windows.outHeight * windows.outWidth;
  return Math.max(products / (floats ? SPEED.floats : SPEED.integers), bytes / SPEED.bytes);
}

/** Numbers of one group's outputs, and what adds them to a call over some of its panels. */
function groupOutputs(
  placed: Placed,
  { input, output, packed, numbers, relu, quantization }: Product,
  group: number,
  taps: { readonly offsets: Int32Array; readonly bytes: number },
): (common: readonly number[], panels: Range, image: number) => Call {
  const { heap } = placed;
  const { layout } = packed;
  const perGroup = layout.outputs / layout.groups;
  const panelOutputs = packed.panels * PANEL;
  const padded = (values: ArrayLike<number>) => {
    const some = new Float32Array(panelOutputs);
    for (let o = 0; o < perGroup; o++) some[o] = values[group * perGroup + o]!;
    return some;
  };
  const rounded = Math.ceil(perGroup / 4) * 4;
  const place = (panels: Range, image: number) => ({
    weights: packed.address + group * packed.groupBytes +
      panels.from * (packed.groupBytes / packed.panels),
    outputs: Math.min(panels.count * PANEL, rounded - panels.from * PANEL),
    to: placed.at(output) + image * output.imageBytes +
      (group * perGroup + panels.from * PANEL) * output.size,
  });
  const bias = padded(numbers.bias);
  if (layout.kind === "f32") {
    const biasAt = heap.keepFloats(bias);
    return (common, panels, image) => {
      const { weights, outputs, to } = place(panels, image);
      const first = panels.from * PANEL * 4;
      return {
        kernel: "productF32",
        parameters: [...common, weights, biasAt + first, outputs, to, Number(relu)],
      };
    };
  }
  const start = new Int32Array(panelOutputs);
  const { zero, step } = input.quantization!;
  if (zero !== 0) {
    const runs = { count: taps.offsets.length, bytes: taps.bytes };
    weightSums(placed, packed, group, runs).forEach((sum, o) => start[o] = -zero * sum);
  }
  const scales = padded(numbers.scales!).map((scale) => scale * step);
  const scalesAt = heap.keepFloats(Float32Array.from([...scales, ...bias]));
  const startAt = heap.keepIntegers(start);
  return (common, panels, image) => {
    const { weights, outputs, to } = place(panels, image);
    const first = panels.from * PANEL * 4;
    return {
      kernel: "productI8",
      // deno-fmt-ignore
      parameters: [
        ...common, weights, startAt + first, scalesAt + first, panelOutputs * 4, outputs, to,
        Number(relu), quantization?.step ?? 0,
      ],
    };
  };
}

/** Byte offsets of some windows' starts, then of where their outputs go. */
function windowTable(input: Value, output: Value, windows: Windows, range: Range): Int32Array {
  const { outHeight, outWidth, strides } = windows;
  const { from, count } = range;
  const table = new Int32Array(2 * count);
  for (let at = 0; at < count; at++) {
    const [image, place] = [
      Math.floor((from + at) / (outHeight * outWidth)),
      (from + at) % (outHeight * outWidth),
    ];
    const [y, x] = [Math.floor(place / outWidth), place % outWidth];
    table[at] = image * input.imageBytes + y * strides[0] * input.rowBytes +
      x * strides[1] * input.pixelBytes;
    table[count + at] = image * output.imageBytes + y * output.rowBytes + x * output.pixelBytes;
  }
  return table;
}

/** Byte offsets of the runs of input that a window reads, each as long as the weights' own. */
function tapTable(
  node: OnnxNode,
  input: Value,
  { layout }: PackedWeights,
  { dilations }: Windows,
): { readonly offsets: Int32Array; readonly bytes: number } {
  const { kernel: [rows, columns], pixelLength, rowLength } = layout;
  const whole = layout.groups === 1 && dilations[1] === 1 &&
    input.pixelBytes === pixelLength * input.size;
  if (whole) {
    const offsets = Int32Array.from(
      { length: rows },
      (_, row) => row * dilations[0] * input.rowBytes,
    );
    return { offsets, bytes: rowLength * input.size };
  }
  // Then every tap is a run of its own, and rows are not rounded up.
  need(node, rowLength === columns * pixelLength, "weights packed for another layout of the input");
  const offsets = Int32Array.from({ length: rows * columns }, (_, tap) => {
    const [row, column] = [Math.floor(tap / columns), tap % columns];
    return row * dilations[0] * input.rowBytes + column * dilations[1] * input.pixelBytes;
  });
  const readable = layout.groups > 1 || pixelLength * input.size <= input.pixelBytes;
  need(node, readable, "weights packed for another layout of the input");
  return { offsets, bytes: pixelLength * input.size };
}
