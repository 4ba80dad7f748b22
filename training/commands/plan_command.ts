import type { Graph } from "../graph/graph.ts";
import { multiplyAdds, nodeMultiplyAdds, parameterCount } from "../graph/graph.ts";
import {
  largestBatch,
  type MemoryOptions,
  type MemoryUse,
  memoryUse,
} from "../graph/memory_use.ts";
import { MODEL_NAMES, type ModelName, MODELS } from "../models/models.ts";
import type { Precision } from "../gpu/precision.ts";
import type { OpTarget } from "../ops/op.ts";
import { parsePrecision, readArguments } from "./arguments.ts";
import { formatBytes, parseByteSize } from "../../shared/byte_size.ts";
import { runCommand } from "./command.ts";

const HELP = `Prints a network layer by layer, and the memory that training it takes. Needs no GPU

Usage: topfive plan MODEL [--classes N] [--batch N] [--micro-batch N] [--memory SIZE]
                    [--precision f32|f16] [--json]

  MODEL          ${MODEL_NAMES.join(", ")}
  --classes N    outputs of the last layer (default: as published)
  --batch N      images a step (default: the model's)
  --micro-batch N  images at a time; their gradients add up to the batch's (default: all)
  --memory SIZE  find the largest batch that fits: 3GB, 1.5GiB, 512MB
  --precision P  f32 or f16: what tensors are stored as (default: f32)
  --json         print JSON

Examples
  topfive plan alexnet --batch 128 --micro-batch 32
  topfive plan alexnet --memory 3GB      one GTX 580 of the two in AlexNet's paper`;

/** A card's kernels: their partial sums take more scratch than a software driver's. */
const TARGET: OpTarget = {
  family: "discrete",
  subgroupSize: 32,
  maxBindingBytes: 2 ** 31,
  maxWorkgroups: 65535,
};

interface Given {
  readonly model: ModelName;
  readonly classes: number;
  readonly batch: number;
  /** Images at a time. */
  readonly part: number;
  /** Bytes. */
  readonly memory: number | undefined;
  readonly precision: Precision;
  readonly json: boolean;
}

export function planCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "plan", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const known = {
    classes: "value",
    batch: "value",
    "micro-batch": "value",
    memory: "value",
    precision: "value",
    json: "switch",
  } as const;
  const { options, positionals: [name, ...others] } = readArguments("plan", args, known);
  const model = MODEL_NAMES.find((known) => known === name);
  if (model === undefined || others.length > 0) {
    throw new SyntaxError(`Cannot plan: expected one model (${MODEL_NAMES.join(", ")})`);
  }
  const memory = options.memory === undefined ? undefined : parseByteSize(options.memory);
  if (options.memory !== undefined && memory === undefined) {
    throw new SyntaxError(`Cannot plan: --memory is ${options.memory} (expected a size as 3GB)`);
  }
  const batch = count("batch", options.batch, MODELS[model].defaults.batchSize);
  const part = count("micro-batch", options["micro-batch"], batch);
  if (batch % part !== 0) {
    throw new SyntaxError(`Cannot plan: --micro-batch is ${part}, no divisor of ${batch} images`);
  }
  return {
    model,
    classes: count("classes", options.classes, MODELS[model].classes),
    batch,
    part,
    memory,
    precision: parsePrecision("plan", options.precision),
    json: options.json ?? false,
  };
}

function count(name: string, text: string | undefined, fallback: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new SyntaxError(`Cannot plan: --${name} is ${text} (expected a whole number, at least 1)`);
}

function run({ model, classes, batch, part, memory, precision, json }: Given): Promise<number> {
  const { build, channels, defaults } = MODELS[model];
  const graph = build(classes);
  const options: MemoryOptions = {
    target: { ...TARGET, precision },
    recordBytes: defaults.side ** 2 * channels,
  };
  const use = memoryUse(graph, part, options);
  const most = memory === undefined ? undefined : largestBatch(graph, memory, options);
  if (json) {
    console.log(JSON.stringify(
      {
        model,
        classes,
        parameters: parameterCount(graph),
        multiplyAdds: multiplyAdds(graph),
        layers: layersOf(graph),
        batch,
        memory: use,
        ...(most === undefined ? {} : { largest: { within: memory, memory: most } }),
      },
      null,
      2,
    ));
    return Promise.resolve(0);
  }
  const lines = [...describeNetwork(graph), "", ...describeMemory(use, batch)];
  if (most !== undefined) lines.push("", describeLargest(memory!, most, batch));
  console.log(lines.join("\n"));
  return Promise.resolve(0);
}

function layersOf(graph: Graph) {
  return graph.nodes.map((node) => {
    const { channels, height, width } = node.outputs[0]!.shape;
    const parameters = node.parameters.reduce(
      (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
      0,
    );
    return {
      name: node.name,
      operator: node.op.type,
      output: height * width === 1 ? [channels] : [channels, height, width],
      parameters,
      multiplyAdds: nodeMultiplyAdds(node),
    };
  });
}

function describeNetwork(graph: Graph): string[] {
  const number = (value: number) => value.toLocaleString("en");
  const rows = layersOf(graph).map((layer) => [
    layer.name,
    layer.operator,
    layer.output.join(" x "),
    layer.parameters === 0 ? "" : number(layer.parameters),
    layer.multiplyAdds === 0 ? "" : number(layer.multiplyAdds),
  ]);
  return [
    ...table([["layer", "operator", "output", "parameters", "multiply-adds"], ...rows]),
    "",
    `parameters     ${number(parameterCount(graph))}`,
    `multiply-adds  ${number(multiplyAdds(graph))} an image, forward`,
  ];
}

function describeMemory(use: MemoryUse, batch: number): string[] {
  const atATime = use.batch < batch ? `, ${use.batch} images at a time` : "";
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  return [
    `memory to train with batch ${batch}${atATime}`,
    `  weights, gradients, momenta   3 x ${megabytes(use.weights)}`,
    ...use.halfWeights > 0 ? [`  weights in float16            ${megabytes(use.halfWeights)}`] : [],
    `  activations                   ${megabytes(use.activations)}`,
    `  gradients of activations      ${megabytes(use.activationGradients)}`,
    `  saved for backward            ${megabytes(use.saved)}`,
    `  scratch                       ${megabytes(use.scratch)}`,
    `  activations to scratch, shared by lifetime: ${megabytes(use.shared)} in ` +
    `${use.buffers} buffers`,
    `  images, labels, losses        ${megabytes(use.input)}`,
    `  in all                        ${megabytes(use.total)}`,
  ];
}

function describeLargest(memory: number, most: MemoryUse | null, batch: number): string {
  const largest = `largest batch in ${formatBytes(memory)}: `;
  if (!most) return `${largest}none, one image takes more`;
  const found = `${largest}${most.batch} (${formatBytes(most.total)})`;
  if (most.batch >= batch) return found;
  let part = most.batch;
  while (batch % part !== 0) part--;
  return `${found}; batch ${batch} by --micro-batch ${part}`;
}

/** Columns as wide as their widest cell; numbers, from the fourth column on, to the right. */
function table(rows: readonly string[][]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, i) => i >= 3 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))
      .join("  ").trimEnd()
  );
}
