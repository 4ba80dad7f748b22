import type { PreprocessSpec } from "../../shared/image/preprocess.ts";
import { checkGradients, type GradientCheck } from "../gradcheck/check_gradients.ts";
import { openGpu } from "../gpu/device.ts";
import type { InputBatch } from "../graph/batch_upload.ts";
import { Engine } from "../graph/engine.ts";
import type { Graph } from "../graph/graph.ts";
import {
  layOutParameters,
  type ParameterArena,
  type ParameterValues,
} from "../graph/parameters.ts";
import { loadRun } from "../load_run.ts";
import { MODEL_NAMES, type ModelName, MODELS } from "../models/models.ts";
import { elementsOf } from "../ops/op.ts";
import { ProgressLine } from "../progress.ts";
import { Random } from "../random.ts";
import { readArguments } from "./arguments.ts";
import { runCommand } from "./command.ts";

const TOLERANCE = 0.02;

const HELP = `Checks every gradient of a network by differences of its loss

Usage: topfive gradcheck MODEL|RUN [--batch N] [--seed N] [--json]

  MODEL      ${MODEL_NAMES.join(", ")}: with random weights of He's deviation, so that no layer's
             signal dies out, and small random biases
  RUN        a run folder that topfive train made: with its weights
  --batch N  random images (default 4)
  --seed N   of images, labels and directions (default 1)
  --json     print JSON

Each weight and bias tensor is moved a little along three directions, and the change of the loss
is compared with what the gradient says it should be; where the loss, which is float32, shows no
change clear of its rounding, that is undecided. The forward pass is float32, so differences of
up to ${100 * TOLERANCE} % pass. The exit code is 1 where a gradient is wrong.

Examples
  topfive gradcheck alexnet-small
  topfive gradcheck runs/first --batch 8`;

interface Given {
  readonly name: string;
  readonly batch: number;
  readonly seed: number;
  readonly json: boolean;
}

export function gradcheckCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "gradcheck", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const known = { batch: "value", seed: "value", json: "switch" } as const;
  const { options, positionals: [name, ...others] } = readArguments("gradcheck", args, known);
  if (name === undefined || others.length > 0) {
    throw new SyntaxError("Cannot check gradients: expected one model or run folder");
  }
  const number = (option: "batch" | "seed", otherwise: number, least: number) => {
    const value = Number(options[option] ?? otherwise);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new SyntaxError(
      `Cannot check gradients: --${option} is ${options[option]} ` +
        `(expected a whole number, at least ${least})`,
    );
  };
  return {
    name,
    batch: number("batch", 4, 1),
    seed: number("seed", 1, 0),
    json: options.json ?? false,
  };
}

/** What is checked: a model's first weights, or those of a run. */
interface Subject {
  readonly graph: Graph;
  readonly parameters: ParameterValues;
  readonly preprocess: PreprocessSpec;
}

async function run({ name, batch, seed, json }: Given): Promise<number> {
  const { graph, parameters, preprocess } = await openSubject(name, seed);
  const gpu = await openGpu();
  const line = new ProgressLine();
  try {
    const engine = await Engine.create(gpu, graph, { batch, preprocess, momentum: 0, decay: 0 });
    const checks = await checkGradients(engine, parameters, randomBatch(graph, batch, seed), {
      seed,
      tolerance: TOLERANCE,
      onCheck: (check) => line.update(`checked ${check.name}`),
    });
    engine.close();
    line.end();
    const failed = checks.filter(({ verdict }) => verdict === "wrong").length;
    console.log(json ? JSON.stringify(checks, null, 2) : formatChecks(graph.name, checks));
    return failed === 0 ? 0 : 1;
  } finally {
    line.end();
    gpu.close();
  }
}

async function openSubject(name: string, seed: number): Promise<Subject> {
  const model = MODEL_NAMES.find((known) => known === name);
  return model ? openModel(model, seed) : await loadSubject(name);
}

function openModel(model: ModelName, seed: number): Subject {
  const { build, classes, crop, channels } = MODELS[model];
  const graph = build(classes);
  return {
    graph,
    parameters: heValues(layOutParameters(graph), seed),
    preprocess: { side: crop, crop, channels, mean: [0, 0, 0], std: [1, 1, 1] },
  };
}

/** Weights N(0, 2 / inputs), after He et al., "Delving Deep into Rectifiers", 2015. */
function heValues({ slots }: ParameterArena, seed: number): ParameterValues {
  return new Map(slots.map(({ name, spec: { shape } }, stream) => {
    const random = new Random(seed, stream);
    const inputs = shape.slice(1).reduce((product, size) => product * size, 1);
    const std = shape.length > 1 ? Math.sqrt(2 / inputs) : 0.1;
    const count = shape[0]! * inputs;
    return [name, Float32Array.from({ length: count }, () => std * random.normal())];
  }));
}

async function loadSubject(folder: string): Promise<Subject> {
  const { graph, checkpoint, preprocess } = await loadRun(folder);
  return { graph, parameters: checkpoint.parameters, preprocess };
}

/** Images N(0, 1), as normalised ones are, and any labels. */
function randomBatch(graph: Graph, batch: number, seed: number): InputBatch {
  const random = new Random(seed, 2 ** 33);
  const { input, output } = graph;
  const images = Float32Array.from(
    { length: batch * elementsOf(input.shape) },
    () => random.normal(),
  );
  const labels = Uint32Array.from({ length: batch }, () => random.below(output.shape.channels));
  return { images, labels };
}

function formatChecks(name: string, checks: readonly GradientCheck[]): string {
  const wide = Math.max(...checks.map(({ name }) => name.length), "parameter".length);
  const number = (value: number) => value.toExponential(3).padStart(11);
  const rows = checks.map((check) =>
    `${check.name.padEnd(wide)}  ${check.numbers.toLocaleString("en").padStart(11)}` +
    `${number(check.norm)}  ${number(check.expected)}  ${number(check.measured)}` +
    `${`${(100 * check.error).toFixed(3)} %`.padStart(11)}  ${
      check.verdict === "wrong" ? "WRONG" : check.verdict
    }`
  );
  const failed = checks.filter(({ verdict }) => verdict === "wrong").length;
  const right = checks.filter(({ verdict }) => verdict === "right").length;
  const verdict = failed === 0
    ? `${name}: ${right} of ${checks.length} gradients agree with differences of the loss`
    : `${name}: ${failed} of ${checks.length} gradients are wrong`;
  const head = `${"parameter".padEnd(wide)}      numbers  |gradient|     expected     measured` +
    "      error";
  return [head, ...rows, verdict].join("\n");
}
