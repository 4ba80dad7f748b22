/**
 * 8-bit integers as ONNX writes them (QuantizeLinear and DequantizeLinear, operator set 13), so that
 * any runtime may run the file and a clever one computes with the integers themselves.
 *
 * Weights have one scale for each output: with one scale for the whole matrix, a trained layer with a
 * few large rows loses up to 36 % (AlexNet's shapes, heavy tails, 2026-11).
 * @module
 */
import type { OnnxModel, OnnxNode, OnnxTensor } from "../../shared/onnx/onnx_node.ts";
import { BLOCK, quantizeByBlock } from "./blocks.ts";
import { gemmToMatMul } from "./fully_connected.ts";
import type { InputMoments } from "./input_moments.ts";
import { raiseOpset } from "./raise_opset.ts";

/** Largest magnitude of a weight; -128 is left out, so that the scale is the same on both sides. */
const WEIGHT_LEVELS = 127;

/** What each product reads: a tensor's scale, by the tensor's name. */
export type ActivationScales = ReadonlyMap<string, ActivationScale>;

export interface ActivationScale {
  /** What one step of the integer stands for. */
  readonly scale: number;
  /** The integer that stands for 0: 0, or 64 where values may be negative. */
  readonly zeroPoint: number;
  /** Whether values may lie beyond the largest step, and are cut off in front. */
  readonly clip: boolean;
}

/**
 * Activations are unsigned, because ONNX Runtime multiplies 8-bit integers only then on x86 and in
 * WebAssembly, and 7 bits of it are used, because `i32x4.relaxed_dot_i8x16_i7x16` gives the same
 * sums on every processor only for those. Where values are never negative, they are 0 to 127.
 */
export const POSITIVE_LEVELS = 127;

/** Steps to each side of a zero point of 64, where values may be negative: 1 to 127. */
export const SIGNED_LEVELS = 63;
const SIGNED_ZERO_POINT = 64;

/** The scale of a tensor whose magnitudes up to `limit` are told apart. */
export function activationScale(
  limit: number,
  { signed, clip }: { readonly signed: boolean; readonly clip: boolean },
): ActivationScale {
  const scale = (limit || 1) / (signed ? SIGNED_LEVELS : POSITIVE_LEVELS);
  return { scale, zeroPoint: signed ? SIGNED_ZERO_POINT : 0, clip };
}

/** A product of an activation and constant weights: where quantisation counts. */
export interface Product {
  readonly node: OnnxNode;
  readonly input: string;
  readonly weights: OnnxTensor;
  /** The weights' axis of outputs. */
  readonly axis: number;
}

/** The convolutions and matrix products with constant float32 weights, in the order they run. */
export function productsOf(model: OnnxModel): Product[] {
  const constants = new Map(model.initializers.map((tensor) => [tensor.name, tensor]));
  return model.nodes.flatMap((node) => {
    const weights = constants.get(node.inputs[1] ?? "");
    if (!(weights?.data instanceof Float32Array)) return [];
    const axis = node.opType === "Conv" ? 0 : 1;
    const isProduct = node.opType === "Conv" ||
      (node.opType === "MatMul" && weights.dims.length === 2);
    return isProduct ? [{ node, input: node.inputs[0]!, weights, axis }] : [];
  });
}

/** Weights as 8-bit integers; every product is computed in float32 from what they stand for. */
export function quantizeWeights(model: OnnxModel): OnnxModel {
  return quantize(gemmToMatMul(model), new Map(), storedWeights);
}

/** Weights and what they are multiplied with as 8-bit integers; a tensor without a scale stays. */
export function quantizeProducts(model: OnnxModel, scales: ActivationScales): OnnxModel {
  return quantize(gemmToMatMul(model), scales, storedWeights);
}

/**
 * As {@link quantizeProducts}, with the weights of large fully connected layers in 4 bits.
 *
 * @param moments of the inputs, by the tensor's name: with them the layers' outputs err less
 */
export function quantizeTo4Bits(
  model: OnnxModel,
  scales: ActivationScales,
  moments: ReadonlyMap<string, { readonly moments: InputMoments | undefined }> = new Map(),
): OnnxModel {
  const stored = (product: Product) =>
    fitsInt4(product)
      ? storedBlocks(product, moments.get(product.input)?.moments)
      : storedWeights(product);
  return quantize(raiseOpset(gemmToMatMul(model)), scales, stored);
}

/** A matrix of fewer numbers stays in 8 bits: 2 kB are saved, and its errors count as others'. */
const LEAST_INT4 = 4096;

/** Whether some weights would be in 4 bits. */
export function hasInt4(model: OnnxModel): boolean {
  return productsOf(gemmToMatMul(model)).some(fitsInt4);
}

/** Fully connected, with rows [outputs] of whole bytes. */
function fitsInt4({ node, weights: { dims, data } }: Product): boolean {
  return node.opType === "MatMul" && dims[1]! % 2 === 0 && data.length >= LEAST_INT4;
}

function quantize(
  model: OnnxModel,
  scales: ActivationScales,
  store: (product: Product) => Part,
): OnnxModel {
  const products = productsOf(model);
  const weights = new Map(products.map((product) => [product.weights.name, product]));
  const stored = new Map([...weights].map(([name, product]) => [name, store(product)]));
  const rounded = [...scales].filter(([name]) => products.some(({ input }) => input === name))
    .map(([name, scale]) => roundedActivation(name, scale));
  const roundedNames = new Map(rounded.map(({ name, output }) => [name, output]));
  const nodes = model.nodes.map((node) => {
    if (!products.some((product) => product.node === node)) return node;
    const [input, ...others] = node.inputs;
    return { ...node, inputs: [roundedNames.get(input!) ?? input!, ...others] };
  });
  const inserted = [...stored.values(), ...rounded];
  return {
    ...model,
    nodes: inOrder(model, [...inserted.flatMap((part) => part.nodes), ...nodes]),
    initializers: [
      ...model.initializers.filter(({ name }) => !stored.has(name)),
      ...inserted.flatMap((part) => part.initializers),
    ],
  };
}

interface Part {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
}

/** DequantizeLinear(int8, scale of each output) gives the weights their old name. */
function storedWeights({ weights: { name, dims, data }, axis }: Product): Part {
  const { values, scales } = quantizeByOutput(data as Float32Array, dims, axis);
  return {
    nodes: [{
      opType: "DequantizeLinear",
      name: `${name}/dequantize`,
      inputs: [`${name}/int8`, `${name}/scale`],
      outputs: [name],
      attributes: { axis: { int: axis } },
    }],
    initializers: [
      { name: `${name}/int8`, dims, data: values },
      { name: `${name}/scale`, dims: [dims[axis]!], data: scales },
    ],
  };
}

/** DequantizeLinear(int4, scale of each block of each output), from operator set 21 on. */
function storedBlocks(
  { weights: { name, dims, data } }: Product,
  moments: InputMoments | undefined,
): Part {
  const shape = [dims[0]!, dims[1]!] as const;
  const { values, scales } = quantizeByBlock(data as Float32Array, shape, { moments });
  return {
    nodes: [{
      opType: "DequantizeLinear",
      name: `${name}/dequantize`,
      inputs: [`${name}/int4`, `${name}/scale`],
      outputs: [name],
      attributes: { axis: { int: 0 }, block_size: { int: BLOCK } },
    }],
    initializers: [
      { name: `${name}/int4`, dims, data: values, elementType: "INT4" },
      { name: `${name}/scale`, dims: [scales.length / shape[1], shape[1]], data: scales },
    ],
  };
}

/** Integers and the scale of each output of weights whose outputs lie along `axis`, 0 or 1. */
export function quantizeByOutput(
  data: Float32Array,
  dims: readonly number[],
  axis: number,
): { values: Int8Array; scales: Float32Array } {
  const outputs = dims[axis]!;
  const run = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
  const outputOf = (index: number) => Math.floor(index / run) % outputs;
  const scales = new Float32Array(outputs);
  for (let i = 0; i < data.length; i++) {
    const output = outputOf(i);
    scales[output] = Math.max(scales[output]!, Math.abs(data[i]!));
  }
  // A scale of zero would make 0 / 0; any does for an output without weights.
  for (let output = 0; output < outputs; output++) {
    scales[output] = scales[output] === 0 ? 1 : scales[output]! / WEIGHT_LEVELS;
  }
  const values = new Int8Array(data.length);
  for (let i = 0; i < data.length; i++) values[i] = Math.round(data[i]! / scales[outputOf(i)]!);
  return { values, scales };
}

/** [Clip →] QuantizeLinear → DequantizeLinear of one tensor. */
function roundedActivation(
  name: string,
  { scale, zeroPoint, clip }: ActivationScale,
): Part & { name: string; output: string } {
  const [step, zero, integers, output] = ["scale", "zero_point", "uint8", "rounded"]
    .map((suffix) => `${name}/${suffix}`) as [string, string, string, string];
  const clipped = clip ? `${name}/clipped` : name;
  const node = (opType: string, inputs: string[], result: string): OnnxNode => ({
    opType,
    name: `${name}/${opType.toLowerCase()}`,
    inputs,
    outputs: [result],
    attributes: {},
  });
  const scalar = (tensor: string, data: OnnxTensor["data"]) => ({ name: tensor, dims: [], data });
  const [low, high] = zeroPoint === 0 ? [0, POSITIVE_LEVELS] : [-SIGNED_LEVELS, SIGNED_LEVELS];
  return {
    name,
    output,
    nodes: [
      ...clip ? [node("Clip", [name, `${name}/low`, `${name}/high`], clipped)] : [],
      node("QuantizeLinear", [clipped, step, zero], integers),
      node("DequantizeLinear", [integers, step, zero], output),
    ],
    initializers: [
      ...clip
        ? [
          scalar(`${name}/low`, Float32Array.of(low * scale)),
          scalar(`${name}/high`, Float32Array.of(high * scale)),
        ]
        : [],
      scalar(step, Float32Array.of(scale)),
      scalar(zero, Uint8Array.of(zeroPoint)),
    ],
  };
}

/** ONNX wants each node behind those whose outputs it reads. */
function inOrder(model: OnnxModel, nodes: readonly OnnxNode[]): OnnxNode[] {
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  const placed = new Set<OnnxNode>();
  const place = (node: OnnxNode) => {
    if (placed.has(node)) return;
    for (const input of node.inputs) {
      const producer = producers.get(input);
      if (producer) place(producer);
    }
    placed.add(node);
  };
  // Outputs in the model's own order; what nothing reads is left out.
  for (const node of model.nodes) {
    const last = producers.get(node.outputs[0]!);
    if (last) place(last);
  }
  return [...placed];
}
