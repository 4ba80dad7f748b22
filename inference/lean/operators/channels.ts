import type { OnnxNode } from "../../../shared/onnx/onnx_node.ts";
import { intOf, need } from "../lookup.ts";
import type { Lowering } from "../lowering.ts";
import { Value } from "../value.ts";
import { addCopy } from "./elementwise.ts";

/** Channels of several tensors side by side: where they can, these are written there at once. */
export function lowerConcat(node: OnnxNode, lowering: Lowering): void {
  const inputs = node.inputs.map((name) => lowering.value(name));
  const [first] = inputs;
  need(node, first !== undefined && isChannelAxis(node), "not along the channels");
  const alike = inputs.every(({ height, width, kind }) =>
    height === first.height && width === first.width && kind === "f32"
  );
  need(node, alike, "inputs of different shapes");
  const channels = inputs.reduce((sum, input) => sum + input.channels, 0);
  const nonNegative = inputs.every((input) => input.nonNegative);
  const output = new Value({ channels, height: first.height, width: first.width }, { nonNegative });
  let at = 0;
  inputs.forEach((input, index) => {
    const own = new Value(input);
    const fits = at % 4 === 0 && (input.channels % 4 === 0 || index === inputs.length - 1);
    if (fits && lowering.isOwn(input)) {
      input.placeIn(output, at);
    } else {
      own.placeIn(output, at);
      addCopy(lowering, `Concat ${node.name}`, input, own);
    }
    at += input.channels;
  });
  lowering.name(node.outputs[0]!, output);
}

/** Parts of the channels, read where they lie. */
export function lowerSplit(node: OnnxNode, lowering: Lowering): void {
  const input = lowering.value(node.inputs[0]!);
  need(node, isChannelAxis(node) && input.kind === "f32", "not along the channels");
  let at = 0;
  const sizes = sizesOf(node, input, lowering);
  node.outputs.forEach((name, index) => {
    const part = new Value({ ...sizeOf(input), channels: sizes[index]! }, input);
    const view = new Value(part, input);
    view.placeIn(input, at);
    if (at % 4 === 0 && part.channels % 4 === 0) {
      lowering.name(name, view);
    } else {
      addCopy(lowering, `Split ${node.name}`, view, part);
      lowering.name(name, part);
    }
    at += part.channels;
  });
}

function sizeOf({ height, width }: Value): { height: number; width: number } {
  return { height, width };
}

function sizesOf(node: OnnxNode, { channels }: Value, lowering: Lowering): number[] {
  const given = node.attributes["split"];
  const sizes = node.inputs[1]
    ? [...lowering.constant(node.inputs[1]).numbers]
    : given && "ints" in given
    ? [...given.ints]
    : node.outputs.map(() => channels / node.outputs.length);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const whole = sizes.length === node.outputs.length && sizes.every(Number.isInteger);
  need(node, whole && total === channels, "its sizes do not add up to the channels");
  return sizes;
}

function isChannelAxis(node: OnnxNode): boolean {
  const axis = intOf(node, "axis", 0);
  return axis === 1 || axis === -3;
}
