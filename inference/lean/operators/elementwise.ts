import type { OnnxNode } from "../../../shared/onnx/onnx_node.ts";
import { need } from "../lookup.ts";
import type { Lowering } from "../lowering.ts";
import { pixelTasks } from "../step.ts";
import { Value } from "../value.ts";

const COPY = 0;
const TANH = 2;
const UNARY = new Map([["Relu", 1], ["Tanh", TANH]]);
const POWER = 4;
/** Kinds of kernels/elementwise.ts. */
export const BINARY = new Map([["Add", 0], ["Sub", 1], ["Mul", 2], ["Div", 3], ["Pow", POWER]]);
const POWER_OF_THREE_QUARTERS = 5;

/** Relu and Tanh. */
export function lowerUnary(node: OnnxNode, lowering: Lowering): void {
  const input = lowering.value(node.inputs[0]!);
  need(node, input.kind === "f32", "int8 input");
  const output = new Value(input, { nonNegative: node.opType === "Relu" || input.nonNegative });
  lowering.name(node.outputs[0]!, output);
  addUnary(lowering, UNARY.get(node.opType)!, `${node.opType} ${node.name}`, input, output);
}

/** Writes one tensor's numbers where another lies. */
export function addCopy(lowering: Lowering, label: string, input: Value, output: Value): void {
  addUnary(lowering, COPY, label, input, output);
}

function addUnary(
  lowering: Lowering,
  kind: number,
  label: string,
  input: Value,
  output: Value,
): void {
  lowering.add({
    label,
    inputs: [input],
    outputs: [output],
    bind: (placed) => {
      const tasks = placed.tasks(placed.batch * input.length * (kind === TANH ? 10 : 1));
      return pixelTasks(placed, [input, output], tasks, ({ addresses: [from, to], pixels }) => ({
        kernel: "unaryF32",
        // deno-fmt-ignore
        parameters: [
          kind, from!, input.pixelBytes, to!, output.pixelBytes, pixels, input.channels,
        ],
      }));
    },
  });
}

/** Add, Sub, Mul, Div and Pow of two tensors, or of one with a number (for each channel). */
export function lowerBinary(node: OnnxNode, lowering: Lowering): void {
  const commutes = node.opType === "Add" || node.opType === "Mul";
  const swapped = commutes && !lowering.hasValue(node.inputs[0]!);
  const [first, second] = (swapped ? node.inputs.toReversed() : node.inputs) as [string, string];
  const a = lowering.value(first);
  const b = lowering.hasValue(second)
    ? lowering.value(second)
    : channelNumbers(node, a, lowering.constant(second));
  const same = !(b instanceof Value) ||
    (b.channels === a.channels && b.height === a.height && b.width === a.width &&
      b.kind === a.kind);
  need(node, a.kind === "f32" && same, "two tensors of different shapes");
  const positive = a.nonNegative && node.opType !== "Sub" &&
    (b instanceof Value ? b.nonNegative || a === b : b.every((number) => number >= 0));
  const output = new Value(a, { nonNegative: positive || (a === b && node.opType === "Mul") });
  lowering.name(node.outputs[0]!, output);
  const root = node.opType === "Pow" && !(b instanceof Value) && b.every((each) => each === 0.75);
  const kind = root ? POWER_OF_THREE_QUARTERS : BINARY.get(node.opType)!;
  lowering.add({
    label: `${node.opType} ${node.name}`,
    inputs: b instanceof Value ? [a, b] : [a],
    outputs: [output],
    bind: (placed) => {
      const constant = b instanceof Value ? 0 : placed.heap.keepFloats(b);
      const bPixel = b instanceof Value ? b.pixelBytes : 0;
      const tasks = placed.tasks(placed.batch * a.length * (kind === POWER ? 10 : 1));
      const values = b instanceof Value ? [a, output, b] : [a, output];
      return pixelTasks(
        placed,
        values,
        tasks,
        ({ addresses: [from, to, other = constant], pixels }) => ({
          kernel: "binaryF32",
          // deno-fmt-ignore
          parameters: [
            kind, from!, a.pixelBytes, other, bPixel, to!, output.pixelBytes, pixels, a.channels,
          ],
        }),
      );
    },
  });
}

/** A constant as one number for each channel. */
function channelNumbers(
  node: OnnxNode,
  { channels, height, width }: Value,
  { dims, numbers }: { dims: readonly number[]; numbers: Float32Array },
): Float32Array {
  if (numbers.length === 1) return new Float32Array(channels).fill(numbers[0]!);
  // Of a vector the last axis counts, of a map the one before height and width.
  const along = height === 1 && width === 1 && dims.length <= 2 ? dims.at(-1) : dims.at(-3);
  need(node, numbers.length === channels && along === channels, "a constant that is no number");
  return numbers;
}
