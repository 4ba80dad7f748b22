/**
 * Tests only: a small network with every kind of branch, and the same in float64 out of the
 * operators' references. Its gradients by finite differences prove the backward walk.
 */
import { concat } from "../ops/concat/concat.ts";
import { conv } from "../ops/conv/conv.ts";
import { convForward } from "../ops/conv/conv_reference.ts";
import { flatten } from "../ops/flatten/flatten.ts";
import { gemm } from "../ops/gemm/gemm.ts";
import { gemmForward } from "../ops/gemm/gemm_reference.ts";
import { joinReference, splitReference } from "../kernels/copy/copy_channels_reference.ts";
import { maxPool } from "../ops/max_pool/max_pool.ts";
import { maxPoolForward } from "../ops/max_pool/max_pool_reference.ts";
import { imageShape } from "../ops/op.ts";
import type { Tensor } from "../ops/op_harness.ts";
import { relu } from "../ops/relu/relu.ts";
import { reluForward } from "../ops/relu/relu_reference.ts";
import { softmaxCrossEntropy } from "../ops/softmax_cross_entropy/softmax_cross_entropy.ts";
import { softmaxCrossEntropyForward } from "../ops/softmax_cross_entropy/softmax_cross_entropy_reference.ts";
import { split } from "../ops/split/split.ts";
import { Graph } from "./graph.ts";
import { layOutParameters } from "./parameters.ts";

export const CHANNELS = 3;
export const SIDE = 5;
export const CLASSES = 6;

const weightInit = { kind: "normal", std: 0.3 } as const;
const same = { kernel: [3, 3], pads: [1, 1, 1, 1] } as const;

/**
 * `stem` feeds three nodes, one of them a Relu that works in place; a part of the Split feeds one
 * node twice; the pooling feeds two Flattens.
 */
export function branchingGraph(): Graph {
  const graph = new Graph("branching", imageShape(CHANNELS, SIDE, SIDE));
  const rates = { update: { bias: { rateMultiplier: 2, decayMultiplier: 0 } } };
  const convolution = (window: typeof same | { kernel: readonly [1, 1] }) =>
    conv({ outChannels: 4, ...window, weightInit, ...rates });
  const dense = (outputs: number) => gemm({ outputs, weightInit, ...rates });
  const stem = graph.add("stem", convolution(same), graph.input);
  const kept = graph.add("kept", relu(), stem);
  const a = graph.add("a/relu", relu(), graph.add("a", convolution({ kernel: [1, 1] }), stem));
  const b = graph.add("b", convolution(same), kept);
  const joined = graph.add("joined", concat(), a, b, stem);
  const [small, large] = graph.addAll("parts", split({ sizes: [4, 8] }), joined);
  const again = graph.add("again", concat(), large!, small!, large!);
  const pooled = graph.add("pooled", maxPool({ kernel: [3, 3], strides: [2, 2] }), again);
  const left = graph.add("left", dense(4), graph.add("left/flat", flatten(), pooled));
  const leftKept = graph.add("left/relu", relu(), left);
  const right = graph.add("right", dense(4), graph.add("right/flat", flatten(), pooled));
  const logits = graph.add("logits", dense(CLASSES), graph.add("both", concat(), leftKept, right));
  graph.add("softmax", softmaxCrossEntropy(), logits);
  return graph;
}

/** Parameters by name, in ONNX's layout. */
export type Parameters = ReadonlyMap<string, Float32Array | Float64Array>;

/** Probabilities and the mean loss of {@link branchingGraph} in float64. */
export function branchingReference(parameters: Parameters, images: Tensor, labels: number[]) {
  const tensor = (name: string): Tensor => ({
    shape: shapes.get(name)!,
    data: parameters.get(name)!,
  });
  const convolution = (name: string, input: Tensor, pad: number) =>
    convForward(input, tensor(`${name}.weight`), tensor(`${name}.bias`), {
      strides: [1, 1],
      pads: [pad, pad],
      group: 1,
      output: [SIDE, SIDE],
    });
  const dense = (name: string, { shape, data }: Tensor): Tensor => {
    const [batch, ...rest] = shape as [number, ...number[]];
    const row = { shape: [batch, rest.reduce((product, size) => product * size, 1)], data };
    const result = gemmForward(row, tensor(`${name}.weight`), tensor(`${name}.bias`));
    return { shape: [...result.shape, 1, 1], data: result.data };
  };
  const stem = convolution("stem", images, 1);
  const a = reluForward(convolution("a", stem, 0));
  const b = convolution("b", reluForward(stem), 1);
  const [small, large] = splitReference(joinReference([a, b, stem]), [4, 8]);
  const pooled = maxPoolForward(joinReference([large!, small!, large!]), {
    kernel: [3, 3],
    strides: [2, 2],
    pads: [0, 0],
    output: [2, 2],
  });
  const both = joinReference([reluForward(dense("left", pooled)), dense("right", pooled)]);
  const logits = { ...dense("logits", both), shape: [labels.length, CLASSES] };
  const { probabilities, losses } = softmaxCrossEntropyForward(logits, labels);
  const loss = losses.reduce((sum, { loss }) => sum + loss, 0) / labels.length;
  return { probabilities: probabilities.data, loss, losses };
}

const shapes = new Map(
  layOutParameters(branchingGraph()).slots.map(({ name, spec }) => [name, spec.shape]),
);

/** The gradients of the mean loss by central differences, every number of every parameter. */
export function branchingGradients(
  parameters: Parameters,
  images: Tensor,
  labels: number[],
): Map<string, Float64Array> {
  const step = 1e-5;
  const point = new Map([...parameters].map(([name, values]) => [name, Float64Array.from(values)]));
  const lossAt = () => branchingReference(point, images, labels).loss;
  return new Map([...point].map(([name, values]) => {
    const gradient = values.map((value, i) => {
      values[i] = value + step;
      const above = lossAt();
      values[i] = value - step;
      const below = lossAt();
      values[i] = value;
      return (above - below) / (2 * step);
    });
    return [name, gradient];
  }));
}
