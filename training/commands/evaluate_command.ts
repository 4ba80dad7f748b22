import type { Dataset } from "../dataset/dataset.ts";
import { evaluate } from "../evaluator.ts";
import { openGpu } from "../gpu/device.ts";
import { engineOf, loadRun } from "../load_run.ts";
import { type RunEvaluation, SPLIT_NAMES, type SplitName, writeEvaluation } from "../run_folder.ts";
import { readArguments } from "./arguments.ts";
import { runCommand } from "./command.ts";
import { openForModel } from "./open_for_model.ts";

const HELP = `Measures a trained run on a split of its data

Usage: topfive evaluate RUN --data DIR [--split NAME] [--json]

  RUN            a run folder that topfive train made
  --data DIR     the data: image folder or MNIST's IDX files
  --split NAME   test (default; validation where the data has no test images), validation, train
  --json         print JSON

Central crops, no augmentation. The result is also kept in the run, for topfive publish.

Example
  topfive evaluate runs/first --data images --split test`;

interface Given {
  readonly folder: string;
  readonly data: string;
  readonly split: SplitName | undefined;
  readonly json: boolean;
}

export function evaluateCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "evaluate", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const known = { data: "value", split: "value", json: "switch" } as const;
  const { options, positionals: [folder, ...others] } = readArguments("evaluate", args, known);
  const { data, split: name, json = false } = options;
  if (folder === undefined || others.length > 0 || data === undefined) {
    throw new SyntaxError("Cannot evaluate: expected one run folder and --data DIR");
  }
  const split = SPLIT_NAMES.find((known) => known === name);
  if (name !== undefined && split === undefined) {
    throw new SyntaxError(
      `Cannot evaluate: --split is ${name} (expected ${SPLIT_NAMES.join(", ")})`,
    );
  }
  return { folder, data, split, json };
}

async function run({ folder, data, split: asked, json }: Given): Promise<number> {
  const loaded = await loadRun(folder);
  const dataset = await openForModel(data, loaded.run.config);
  requireClasses(dataset, loaded.run.classes);
  const name = asked ?? (dataset.test ? "test" : "validation");
  const split = dataset[name];
  if (!split) {
    throw new Error(
      `Cannot evaluate: ${data} has no ${name} images of its own (try --split validation)`,
    );
  }
  const gpu = await openGpu();
  try {
    const engine = await engineOf(gpu, loaded);
    const start = performance.now();
    const evaluation = await evaluate(engine, split);
    const seconds = (performance.now() - start) / 1000;
    engine.close();
    if (!Number.isFinite(evaluation.loss)) {
      throw new Error(
        `Cannot evaluate ${folder}: the loss is ${evaluation.loss} (train with a lower rate)`,
      );
    }
    const { step } = loaded.checkpoint.state;
    const result = { split: name, step, ...evaluation, dataFingerprint: dataset.fingerprint };
    await writeEvaluation(folder, result);
    console.log(json ? JSON.stringify(result, null, 2) : describe(result, seconds));
    return 0;
  } finally {
    gpu.close();
  }
}

function describe(result: RunEvaluation, seconds: number): string {
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  return [
    `${result.split}: ${result.images} images in ${seconds.toFixed(1)} s`,
    `  top-1 error ${percent(result.top1Error)}`,
    `  top-5 error ${percent(result.top5Error)}`,
    `  loss        ${result.loss.toFixed(4)}`,
  ].join("\n");
}

function requireClasses(dataset: Dataset, classes: readonly string[]): void {
  if (JSON.stringify(dataset.classes) === JSON.stringify(classes)) return;
  throw new Error(
    `Cannot evaluate: the data's classes are ${dataset.classes.join(", ")}, ` +
      `the run's are ${classes.join(", ")}`,
  );
}
