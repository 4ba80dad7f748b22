import type { OnnxElementType, OnnxNode, OnnxTensor } from "../../../shared/onnx/onnx_node.ts";
import { intOf, intsOf, type Lookup } from "../lookup.ts";
import type { ArrivingTensor } from "../onnx_stream.ts";
import type { WeightLayout } from "../weights.ts";

/** A tensor that is the weights of one product, and how they are to be packed. */
export interface WeightUse {
  /** The name by which the product reads them. */
  readonly name: string;
  readonly layout: WeightLayout;
}

/** Constants that are known so far. */
type Constants = ReadonlyMap<string, OnnxTensor>;

/**
 * How a tensor's numbers are to be packed while they arrive; nothing where it is no weights, or
 * where more has to be known first.
 */
export function weightUse(
  { name, dims, elementType }: Pick<ArrivingTensor, "name" | "dims" | "elementType">,
  lookup: Lookup,
  input: string,
  tensors: Constants,
): WeightUse | undefined {
  const direct = lookup.onlyConsumer(name);
  const stored = direct?.opType === "DequantizeLinear" || direct?.opType === "Cast";
  const used = stored ? direct.outputs[0]! : name;
  const product = lookup.onlyConsumer(used);
  if (!product || product.inputs[1] !== used) return undefined;
  // The filters of a locally connected layer, which copy windows, are never multiplied with.
  if (lookup.onlyConsumer(product.outputs[0]!)?.opType === "Reshape") return undefined;
  const layoutAs = (kind: WeightLayout["kind"] | undefined) =>
    kind && layoutOf(product, dims, kind, lookup, input);
  const layout = direct?.opType !== "DequantizeLinear"
    ? floatLayout(product, elementType, layoutAs)
    : elementType === "INT4"
    ? blockLayout(direct, product, lookup, layoutAs)
    : layoutAs(
      elementType === "INT8" ? int8Kind(direct, product, dims, lookup, tensors) : undefined,
    );
  return layout && { name: used, layout };
}

type LayoutAs = (kind: WeightLayout["kind"] | undefined) => WeightLayout | undefined;

function floatLayout(
  product: OnnxNode,
  elementType: OnnxElementType,
  layoutAs: LayoutAs,
): WeightLayout | undefined {
  if (elementType !== "FLOAT" && elementType !== "FLOAT16") return undefined;
  const layout = layoutAs("f32");
  // Convolutions read each weight often; two float16 are packed as one number.
  const narrow = elementType === "FLOAT16" && product.opType !== "Conv";
  return layout && narrow && layout.channels % 2 === 0 ? { ...layout, kind: "f16" } : layout;
}

/** Of int4. */
function blockLayout(
  dequantize: OnnxNode,
  product: OnnxNode,
  lookup: Lookup,
  layoutAs: LayoutAs,
): WeightLayout | undefined {
  if (!hasBlocks(dequantize) || !quantized(product, lookup)) return undefined;
  const layout = layoutAs("i4");
  // Two outputs share a byte, and a block is whole groups of four weights.
  const block = intOf(dequantize, "block_size", 0);
  const fits = product.opType === "MatMul" && layout && layout.outputs % 2 === 0 && block % 4 === 0;
  return fits ? { ...layout, block } : undefined;
}

/** A scale for each block of the first axis, and no zero points. */
function hasBlocks(dequantize: OnnxNode): boolean {
  return intOf(dequantize, "block_size", 0) > 0 && intOf(dequantize, "axis", 1) === 0 &&
    !dequantize.inputs[2];
}

/**
 * How a product holds int8 weights with a scale for each output, or one for all: as float32 where it
 * is a convolution of float32. Nothing where they have other scales, or zero points, for all that is
 * known as they arrive.
 */
export function int8Kind(
  dequantize: OnnxNode,
  product: OnnxNode,
  dims: readonly number[],
  lookup: Lookup,
  tensors: Constants,
): "i8" | "f32" | undefined {
  if (intOf(dequantize, "block_size", 0) > 0) return undefined;
  const [, scale, zero] = dequantize.inputs;
  const axis = intOf(dequantize, "axis", 1);
  const byOutput = (axis < 0 ? axis + dims.length : axis) === outputAxis(product);
  if (!byOutput && tensors.get(scale!)?.data.length !== 1) return undefined;
  const zeros = zero ? tensors.get(zero)?.data : [];
  if (!zeros?.every((point) => Number(point) === 0)) return undefined;
  return product.opType === "Conv" && !quantized(product, lookup) ? "f32" : "i8";
}

function outputAxis(product: OnnxNode): number {
  return product.opType === "Conv" || isTransposed(product) ? 0 : 1;
}

function isTransposed(product: OnnxNode): boolean {
  return product.opType === "Gemm" && intOf(product, "transB", 0) === 1;
}

/** How the scales [blocks, outputs] of 4-bit weights that are packed already are to be packed. */
export function scalesUse(
  { name, dims, elementType }: Pick<ArrivingTensor, "name" | "dims" | "elementType">,
  lookup: Lookup,
  packed: ReadonlyMap<string, { readonly layout: WeightLayout }>,
): WeightUse | undefined {
  const dequantize = lookup.onlyConsumer(name);
  const weights = packed.get(dequantize?.outputs[0] ?? "")?.layout;
  if (weights?.kind !== "i4" || elementType !== "FLOAT" || dims.length !== 2) return undefined;
  const [blocks, outputs] = dims as [number, number];
  const lengths = { channels: blocks, pixelLength: blocks, rowLength: blocks };
  const kernel = [1, 1] as const;
  const layout = {
    kind: "f32",
    outputs,
    groups: 1,
    kernel,
    ...lengths,
    outputsFirst: false,
  } as const;
  return { name, layout };
}

function quantized(product: OnnxNode, lookup: Lookup): boolean {
  return lookup.producer(product.inputs[0]!)?.opType === "DequantizeLinear";
}

/** How a product's weights lie; nothing where the operator or its attributes are not known. */
export function layoutOf(
  product: OnnxNode,
  dims: readonly number[],
  kind: WeightLayout["kind"],
  lookup: Lookup,
  input: string,
): WeightLayout | undefined {
  const round = (length: number) => Math.ceil(length / 4) * 4;
  if (product.opType === "Conv" && dims.length === 4) {
    const [outputs, channels, rows, columns] = dims as [number, number, number, number];
    const groups = intOf(product, "group", 1);
    const whole = readsWholePixels(product, lookup);
    const tight = whole && isTight(product.inputs[0]!, lookup, input);
    const rounded = kind === "i8" || (groups === 1 && !tight) ? round(channels) : channels;
    const pixelLength = tight && whole ? channels : rounded;
    const row = columns * pixelLength;
    const rowLength = kind === "i8" ? round(row) : row;
    const outputsFirst = true;
    // deno-fmt-ignore
    return { kind, outputs, groups, channels, kernel: [rows, columns], pixelLength, rowLength, outputsFirst };
  }
  const transposed = isTransposed(product);
  if ((product.opType !== "Gemm" && product.opType !== "MatMul") || dims.length !== 2) {
    return undefined;
  }
  const [outputs, channels] = (transposed ? dims : dims.toReversed()) as [number, number];
  const length = round(channels);
  return {
    kind,
    outputs,
    groups: 1,
    channels,
    kernel: [1, 1],
    pixelLength: length,
    rowLength: length,
    outputsFirst: transposed,
  };
}

/**
 * True where the taps of a kernel's row lie side by side in memory: no group, no dilation, and no
 * tensor that is a part of another.
 */
function readsWholePixels(conv: OnnxNode, lookup: Lookup): boolean {
  const input = conv.inputs[0]!;
  return intOf(conv, "group", 1) === 1 && intsOf(conv, "dilations", [1, 1])[1] === 1 &&
    lookup.producer(input)?.opType !== "Split" &&
    lookup.consumers(input).every(({ opType }) => opType !== "Concat");
}

/** Nodes through which an input stays the input: its first step does their work. */
const INPUT_NODES = new Set(["Sub", "Clip", "QuantizeLinear", "DequantizeLinear"]);

/**
 * True for the network's input, if convolutions that read whole pixels are all that read it: then its
 * three channels need no fourth.
 */
export function isTight(name: string, lookup: Lookup, input: string): boolean {
  let source = name;
  while (source !== input) {
    const node = lookup.producer(source);
    if (!node || !INPUT_NODES.has(node.opType) || lookup.consumers(node.inputs[0]!).length > 1) {
      return false;
    }
    source = node.inputs[0]!;
  }
  return lookup.consumers(name).every((node) =>
    node.opType === "Conv" && node.inputs[0] === name && readsWholePixels(node, lookup)
  );
}
