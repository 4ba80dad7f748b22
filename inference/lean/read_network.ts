import type { OnnxNode, OnnxTensor, OnnxValue } from "../../shared/onnx/onnx_node.ts";
import { mismatch, type NetworkValue, requireContract } from "../workers/contract.ts";
import type { SessionManifest } from "../workers/session.ts";
import { Heap } from "./heap.ts";
import {
  type Build,
  compileKernels,
  instantiateKernels,
  KERNEL_BYTES,
  type Kernels,
} from "./kernels/load_kernels.ts";
import { Lookup } from "./lookup.ts";
import { Lowering } from "./lowering.ts";
import { type ArrivingTensor, readOnnxStream, type TensorSink } from "./onnx_stream.ts";
import { lowerInput } from "./operators/input.ts";
import { findLayer, lowerLayer } from "./operators/locally_connected.ts";
import { OPERATORS } from "./operators/operators.ts";
import { applyScales, weightScales } from "./operators/product_narrow.ts";
import { int8Kind, layoutOf, scalesUse, weightUse } from "./operators/weight_use.ts";
import type { Step } from "./step.ts";
import { UnsupportedError } from "./unsupported.ts";
import type { Value } from "./value.ts";
import { type PackedWeights, packWeights } from "./weights.ts";

/** A network whose weights lie packed in memory, and the steps that compute it. */
export interface LeanNetwork {
  readonly heap: Heap;
  readonly kernels: Kernels;
  /** Of the kernels: other threads have instances of it over the same memory. */
  readonly module: WebAssembly.Module;
  /** How many threads may compute a run: more than one where they share the memory. */
  readonly threads: number;
  readonly steps: readonly Step[];
  /** Where images are written: [channels * height * width] of each. */
  readonly input: Value;
  readonly output: Value;
}

export interface ReadOptions {
  /** The kernels to use; the engine decides when left out. */
  readonly build?: Build | undefined;
  /** Threads of one run; one where the engine has no memory that threads share. */
  readonly threads?: number;
}

/**
 * Reads an ONNX file as it arrives: weights go into WebAssembly's memory piece by piece.
 *
 * @throws {SyntaxError} where the bytes are no ONNX model.
 * @throws {RangeError} where the network is not what the manifest says.
 * @throws {UnsupportedError} where the network has an operator, or a form of one, that is not here.
 */
export async function readNetwork(
  chunks: AsyncIterable<Uint8Array>,
  manifest: SessionManifest,
  { build, threads: wanted = 1 }: ReadOptions = {},
): Promise<LeanNetwork> {
  const { heap, threads } = makeHeap(wanted);
  const module = await compileKernels(threads > 1, build);
  const kernels = instantiateKernels(module, heap.memory);
  const packed = new Map<string, PackedWeights>();
  const context = { heap, kernels, packed };
  let lookup: Lookup | undefined;
  const model = await readOnnxStream(chunks, (tensor, { nodes, tensors }) => {
    if (lookup?.nodes.length !== nodes.length) {
      lookup = new Lookup([...nodes]);
      requireOperators(lookup);
    }
    return packArriving(tensor, lookup, { tensors, input: manifest.input.name }, context);
  });
  requireContract(manifest, {
    inputs: model.inputs.map(networkValue),
    outputs: model.outputs.map(networkValue),
  });
  const whole = new Lookup(model.nodes);
  requireOperators(whole);
  const outputs = model.outputs.map(({ name }) => name);
  const lowering = new Lowering({ lookup: whole, tensors: model.tensors, packed, outputs });
  scaleConvolutions(lowering, context);
  packRest(lowering, model.tensors, manifest.input.name, context);
  const [, channels, height, width] = manifest.input.shape;
  const input = lowerInput(manifest.input.name, { channels, height, width }, lowering);
  for (const node of model.nodes) lowerNode(node.outputs[0]!, lowering, context);
  const output = lowering.value(manifest.output.name);
  const shape = [output.channels, output.height, output.width];
  if (output.channels * output.height * output.width !== manifest.output.classes) {
    throw mismatch(manifest, `its output is [${shape}]`);
  }
  if (output.height * output.width !== 1 || output.kind !== "f32") {
    throw new UnsupportedError(`an output of [${shape}]`);
  }
  return { heap, kernels, module, threads, steps: lowering.steps, input, output };
}

/** One thread's memory is not shared: it costs that thread nothing to be alone. */
function makeHeap(threads: number): { readonly heap: Heap; readonly threads: number } {
  if (threads > 1) {
    try {
      return { heap: new Heap(KERNEL_BYTES, true), threads };
    } catch {
      // The engine has no shared memory, or no address space left for its largest size.
    }
  }
  return { heap: new Heap(KERNEL_BYTES, false), threads: 1 };
}

function networkValue({ name, shape, elementType = "FLOAT" }: OnnxValue): NetworkValue {
  return { name, shape, type: elementType === "FLOAT" ? "float32" : elementType.toLowerCase() };
}

/** Nodes of constants, and those that only a pattern of several nodes knows. */
const OTHER_NODES = new Set(["Cast", "DequantizeLinear", "Transpose"]);

function requireOperators({ nodes }: Lookup): void {
  const unknown = nodes.find(({ opType }) => !OPERATORS.has(opType) && !OTHER_NODES.has(opType));
  if (unknown) throw new UnsupportedError(`operator ${unknown.opType}`);
}

function lowerNode(output: string, lowering: Lowering, packing: Packing): void {
  const node = lowering.lookup.producer(output)!;
  const weights = lowering.packed(output) !== undefined || lowering.isConstant(output);
  if (weights || lowering.isAbsorbed(node)) return;
  const layer = findLayer(node, lowering);
  if (layer) return lowerLayer(layer, lowering, packing);
  const lower = OPERATORS.get(node.opType);
  if (!lower) throw new UnsupportedError(`operator ${node.opType} by itself`);
  lower(node, lowering);
}

interface Packing {
  readonly heap: Heap;
  readonly kernels: Kernels;
  readonly packed: Map<string, PackedWeights>;
}

function packArriving(
  tensor: ArrivingTensor,
  lookup: Lookup,
  { tensors, input }: { readonly tensors: ReadonlyMap<string, OnnxTensor>; readonly input: string },
  { heap, kernels, packed }: Packing,
): TensorSink | undefined {
  const use = scalesUse(tensor, lookup, packed) ?? weightUse(tensor, lookup, input, tensors);
  if (!use) return undefined;
  const weights = packWeights(heap, kernels, use.layout, tensor.elementType);
  packed.set(use.name, weights.packed);
  return weights.sink;
}

/** int8 weights of convolutions, float32 by now: their scales may have arrived behind them. */
function scaleConvolutions(lowering: Lowering, packing: Packing): void {
  for (const [name, weights] of packing.packed) {
    const stored = lowering.lookup.producer(name)?.opType === "DequantizeLinear";
    if (!stored || weights.layout.kind !== "f32") continue;
    const product = lowering.lookup.onlyConsumer(name)!;
    applyScales(weights, weightScales(product, weights, lowering), packing);
  }
}

/** Weights that arrived before it was known what they are, or that have to be computed first. */
function packRest(
  lowering: Lowering,
  tensors: ReadonlyMap<string, OnnxTensor>,
  input: string,
  { heap, kernels, packed }: Packing,
): void {
  for (const node of lowering.lookup.nodes) {
    const name = node.inputs[1];
    if (!["Conv", "Gemm", "MatMul"].includes(node.opType) || !name || packed.has(name)) continue;
    if (!lowering.isConstant(name) || findLayer(node, lowering)) continue;
    const integers = integersOf(name, node, lowering.lookup, tensors);
    const { dims, numbers } = integers ?? lowering.constant(name);
    const layout = layoutOf(node, dims, integers ? "i8" : "f32", lowering.lookup, input);
    if (!layout) continue;
    const weights = packWeights(heap, kernels, layout);
    weights.sink(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
    packed.set(name, weights.packed);
  }
}

/** int8 weights that stay so. */
function integersOf(
  name: string,
  product: OnnxNode,
  lookup: Lookup,
  tensors: ReadonlyMap<string, OnnxTensor>,
): { readonly dims: readonly number[]; readonly numbers: Int8Array } | undefined {
  const stored = lookup.producer(name);
  if (stored?.opType !== "DequantizeLinear") return undefined;
  const { dims, data, elementType } = tensors.get(stored.inputs[0]!) ?? {};
  if (!dims || !(data instanceof Int8Array) || elementType === "INT4") return undefined;
  const kind = int8Kind(stored, product, dims, lookup, tensors);
  return kind === "i8" ? { dims, numbers: data } : undefined;
}
