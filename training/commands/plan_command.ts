import type { Graph } from "../graph/graph.ts";
import { multiplyAdds, nodeMultiplyAdds, parameterCount } from "../graph/graph.ts";
import { layOutParameters } from "../graph/parameters.ts";
import { plan } from "../graph/plan.ts";
import { MODEL_NAMES, type ModelName, MODELS } from "../models/models.ts";
import type { OpTarget } from "../ops/op.ts";
import { readArguments } from "./arguments.ts";
import { runCommand } from "./command.ts";

const HELP = `Prints a network layer by layer, and the memory that training it takes. Needs no GPU

Usage: topfive plan MODEL [--classes N] [--batch N]

  MODEL         ${MODEL_NAMES.join(", ")}
  --classes N   outputs of the last layer (default: as published)
  --batch N     images a step (default: the model's)

Example
  topfive plan alexnet --batch 128`;

/** Memory does not depend on the kernels that an adapter gets, only parts of scratch do. */
const TARGET: OpTarget = {
  family: "software",
  subgroupSize: 8,
  maxBindingBytes: 2 ** 31,
  maxWorkgroups: 65535,
};

interface Given {
  readonly model: ModelName;
  readonly classes: number;
  readonly batch: number;
}

export function planCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "plan", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const known = { classes: "value", batch: "value" } as const;
  const { options, positionals: [name, ...others] } = readArguments("plan", args, known);
  const model = MODEL_NAMES.find((known) => known === name);
  if (model === undefined || others.length > 0) {
    throw new SyntaxError(`Cannot plan: expected one model (${MODEL_NAMES.join(", ")})`);
  }
  return {
    model,
    classes: count("classes", options.classes, MODELS[model].classes),
    batch: count("batch", options.batch, MODELS[model].defaults.batchSize),
  };
}

function count(name: string, text: string | undefined, fallback: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new SyntaxError(`Cannot plan: --${name} is ${text} (expected a whole number, at least 1)`);
}

function run({ model, classes, batch }: Given): Promise<number> {
  console.log(describePlan(MODELS[model].build(classes), batch));
  return Promise.resolve(0);
}

export function describePlan(graph: Graph, batch: number): string {
  const number = (value: number) => value.toLocaleString("en");
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  const rows = graph.nodes.map((node) => {
    const { channels, height, width } = node.outputs[0]!.shape;
    const parameters = node.parameters.reduce(
      (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
      0,
    );
    return [
      node.name,
      node.op.type,
      height * width === 1 ? `${channels}` : `${channels} x ${height} x ${width}`,
      parameters === 0 ? "" : number(parameters),
      nodeMultiplyAdds(node) === 0 ? "" : number(nodeMultiplyAdds(node)),
    ];
  });
  const arena = layOutParameters(graph);
  const { bytes, slots } = plan(graph, arena, { batch, target: TARGET, training: true });
  const shared = slots.reduce((sum, size) => sum + size, 0);
  return [
    ...table([["layer", "operator", "output", "parameters", "multiply-adds"], ...rows]),
    "",
    `parameters     ${number(parameterCount(graph))}`,
    `multiply-adds  ${number(multiplyAdds(graph))} an image, forward`,
    "",
    `memory to train with batch ${batch}`,
    `  weights, gradients, momenta   3 x ${megabytes(arena.bytes)}`,
    `  activations                   ${megabytes(bytes.activations)}`,
    `  gradients of activations      ${megabytes(bytes.gradients)}`,
    `  saved and scratch             ${megabytes(bytes.saved + bytes.scratch)}`,
    `  activations to scratch, shared by lifetime: ${megabytes(shared)} in ${slots.length} buffers`,
    `  in all                        ${megabytes(3 * arena.bytes + shared)}`,
  ].join("\n");
}

/** Columns as wide as their widest cell; numbers, from the fourth column on, to the right. */
function table(rows: readonly string[][]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, i) => i >= 3 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))
      .join("  ").trimEnd()
  );
}
