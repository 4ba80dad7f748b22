/**
 * Tests only: one ONNX file in ONNX Runtime and in the lean session.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import * as ort from "onnxruntime-web";
import type { OnnxModel, OnnxNode, OnnxTensor } from "../../shared/onnx/onnx_node.ts";
import type { Build } from "../../inference/lean/kernels/load_kernels.ts";
import { LeanRunner, type RunnerOptions } from "../../inference/lean/lean_runner.ts";
import { readNetwork, type ReadOptions } from "../../inference/lean/read_network.ts";
import { ONNX_OPSET } from "../../shared/onnx/onnx_node.ts";
import { encodeOnnx } from "../../training/onnx/write.ts";

export const BUILDS: readonly Build[] = ["relaxed", "plain"];

/** Every step in as many tasks as can be, done by one thread until others are started. */
export const DIVIDED = { threads: 3, taskNanoseconds: 1e-9 };

/** The maps of one image after the other. */
export const ONE_BY_ONE = { cacheBytes: 1 };

/** Numbers between -1 and 1 that every machine draws alike (Lehmer generator, Park and Miller 1988). */
export class Numbers {
  #state: number;

  constructor(seed: number) {
    this.#state = seed % 0x7fffffff || 1;
  }

  next(): number {
    this.#state = this.#state * 48271 % 0x7fffffff;
    return this.#state / 0x3fffffff - 1;
  }

  /** A whole number from `least` to `most`. */
  whole(least: number, most: number): number {
    return least + Math.floor((this.next() + 1) / 2 * (most - least + 1)) % (most - least + 1);
  }

  array(length: number, scale = 1): Float32Array<ArrayBuffer> {
    return Float32Array.from({ length }, () => this.next() * scale);
  }
}

/** [channels, height, width] of an image. */
export type ImageShape = readonly [number, number, number];

/**
 * A model of input "x" [N, …shape], whose last output is flattened to "y" [N, classes]: the lean
 * session gives vectors.
 */
export function modelOf(
  shape: ImageShape,
  nodes: readonly OnnxNode[],
  initializers: readonly OnnxTensor[],
  opset = ONNX_OPSET,
): Uint8Array<ArrayBuffer> {
  const last = nodes.at(-1)!.outputs[0]!;
  const model: OnnxModel = {
    graphName: "one",
    inputs: [{ name: "x", shape: ["N", ...shape] }],
    outputs: [{ name: "y", shape: ["N", "classes"] }],
    nodes: [...nodes, nodeOf("Flatten", [last], ["y"], { axis: { int: 1 } })],
    initializers,
    opset,
    producerName: "topfive",
    producerVersion: "0",
    metadata: {},
    docString: "",
  };
  return encodeOnnx(model);
}

export function nodeOf(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: OnnxNode["attributes"] = {},
): OnnxNode {
  return { opType, name: outputs[0]!, inputs, outputs, attributes };
}

/**
 * ONNX Runtime without its optimiser: every node computed as it stands, float32 of what the integers
 * stand for. With it, sums of int8 are rounded in other places.
 */
export const AS_IT_STANDS = { graphOptimizationLevel: "disabled" } as const;

/** What ONNX Runtime answers to a batch. */
export async function answerOfOnnxRuntime(
  file: Uint8Array,
  { input, output }: { input: string; output: string },
  images: Float32Array<ArrayBuffer>,
  dims: readonly number[],
  options: ort.InferenceSession.SessionOptions = {},
): Promise<Float32Array> {
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(file, options);
  try {
    const results = await session.run({ [input]: new ort.Tensor("float32", images, dims) });
    return results[output]!.data as Float32Array;
  } finally {
    await session.release();
  }
}

/** A file as it comes from a store: pieces of lengths that fit nothing. */
async function* pieces(file: Uint8Array): AsyncGenerator<Uint8Array> {
  const length = Math.max(13, Math.ceil(file.length / 57));
  for (let at = 0; at < file.length; at += length) yield file.subarray(at, at + length);
}

/** The same file in the lean session. */
export async function leanRunner(
  file: Uint8Array,
  { input, output }: { input: string; output: string },
  dims: readonly number[],
  classes: number,
  options?: ReadOptions & RunnerOptions,
): Promise<LeanRunner> {
  const shape = [-1, ...dims.slice(1)] as [number, number, number, number];
  const manifest = {
    name: "test",
    version: "1",
    input: { name: input, shape },
    output: { name: output, classes },
  };
  const network = await readNetwork(pieces(file), manifest, options);
  return new LeanRunner(network, options);
}

/** The largest difference, in units of the largest number. */
export function relativeError(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) return Infinity;
  let [worst, largest] = [0, 0];
  expected.forEach((value, i) => {
    const difference = Math.abs(actual[i]! - value);
    worst = Number.isNaN(difference) ? Infinity : Math.max(worst, difference);
    largest = Math.max(largest, Math.abs(value));
  });
  return largest === 0 ? worst : worst / largest;
}

/** A network of a few nodes, whose input is "x". */
export interface Case {
  readonly shape: ImageShape;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly batches?: readonly number[];
}

const NAMES = { input: "x", output: "y" };

async function check(name: string, drawn: Case, seed: number): Promise<void> {
  const { shape, nodes, initializers, batches = [3, 1] } = drawn;
  const file = modelOf(shape, nodes, initializers);
  const numbers = new Numbers(seed + 17);
  const answers: { batch: number; images: Float32Array; expected: Float32Array }[] = [];
  for (const batch of batches) {
    const dims = [batch, ...shape];
    const images = numbers.array(dims.reduce((product, size) => product * size, 1), 2);
    const expected = await answerOfOnnxRuntime(file, NAMES, images, dims);
    answers.push({ batch, images, expected });
  }
  const classes = answers[0]!.expected.length / batches[0]!;
  for (const build of BUILDS) {
    const runner = await leanRunner(file, NAMES, [-1, ...shape], classes, { build });
    const divided = await leanRunner(file, NAMES, [-1, ...shape], classes, { build, ...DIVIDED });
    for (const { batch, images, expected } of answers) {
      const what = `${name}, seed ${seed}, ${build}, batch ${batch} (${shape})`;
      const result = runner.run(images, batch);
      const error = relativeError(result, expected);
      assert(error < 1e-5, `${what}: ${error}`);
      assertEquals(divided.run(images, batch), result, `${what}, divided among threads`);
    }
  }
}

/** Draws cases and checks each: a failure names its seed. */
export function proves(name: string, count: number, draw: (numbers: Numbers) => Case): void {
  Deno.test(`the lean session's ${name} is ONNX Runtime's`, async () => {
    for (let seed = 1; seed <= count; seed++) {
      await check(name, draw(new Numbers(seed * 7919)), seed);
    }
  });
}
