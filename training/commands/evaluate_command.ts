import { join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import type { Dataset } from "../dataset/dataset.ts";
import { evaluate } from "../evaluator.ts";
import { openGpu } from "../gpu/device.ts";
import { engineOf, loadRun } from "../load_run.ts";
import { writeAtomically } from "../write_atomically.ts";
import { runCommand } from "./command_error.ts";
import { openForModel } from "./open_for_model.ts";

const HELP = `Measures a trained run on a split of its data

Usage: topfive evaluate RUN --data DIR [--split test] [--json]

  RUN            a run folder that topfive train made
  --data DIR     the data: image folder or MNIST's IDX files
  --split NAME   test (default; validation where the data has no test images), validation, train
  --json         print JSON

Central crops, no augmentation. The result is also kept in the run, for topfive publish.

Example
  topfive evaluate runs/first --data images --split test`;

const SPLITS = ["train", "validation", "test"] as const;

export const EvaluationFile = z.strictObject({
  split: z.enum(SPLITS),
  images: z.int().positive(),
  loss: z.number(),
  top1Error: z.number(),
  top5Error: z.number(),
  dataFingerprint: z.string(),
});

export function evaluationPath(folder: string): string {
  return join(folder, "evaluation.json");
}

export function evaluateCommand(args: string[]): Promise<number> {
  return runCommand("evaluate", async () => {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        data: { type: "string" },
        split: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    const [folder] = positionals;
    if (folder === undefined || positionals.length > 1 || values.data === undefined) {
      throw new SyntaxError("Cannot evaluate: expected one run folder and --data DIR");
    }
    const loaded = await loadRun(folder);
    const dataset = await openForModel(values.data, loaded.run.config);
    requireClasses(dataset, loaded.run.classes);
    const [name, split] = chooseSplit(dataset, values.split);
    const gpu = await openGpu();
    const engine = await engineOf(gpu, loaded);
    const start = performance.now();
    const evaluation = await evaluate(engine, split);
    const seconds = (performance.now() - start) / 1000;
    engine.close();
    gpu.close();
    const result = { split: name, ...evaluation, dataFingerprint: dataset.fingerprint };
    const text = JSON.stringify(EvaluationFile.parse(result), null, 2);
    await writeAtomically(evaluationPath(folder), [new TextEncoder().encode(`${text}\n`)]);
    console.log(values.json ? text : describe(result, seconds));
    return 0;
  });
}

function describe(result: z.infer<typeof EvaluationFile>, seconds: number): string {
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

function chooseSplit(dataset: Dataset, name?: string) {
  const chosen = name ?? (dataset.test ? "test" : "validation");
  if (!(SPLITS as readonly string[]).includes(chosen)) {
    throw new SyntaxError(`Cannot evaluate split ${chosen}: expected ${SPLITS.join(", ")}`);
  }
  const split = dataset[chosen as typeof SPLITS[number]];
  if (split) return [chosen as typeof SPLITS[number], split] as const;
  throw new Error("Cannot evaluate: the data has no test images (try --split validation)");
}
