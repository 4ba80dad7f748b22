import type { CheckpointName } from "../checkpoint/checkpoint_folder.ts";
import type { Dataset, Split } from "../dataset/dataset.ts";
import { enginePredictor } from "../evaluation/engine_predictor.ts";
import {
  describeScores,
  type EvaluationDetails,
  writeEvaluationDetails,
} from "../evaluation/evaluation_details.ts";
import { onnxPredictor } from "../evaluation/onnx_predictor.ts";
import { predictionFormat, writePredictions } from "../evaluation/prediction_file.ts";
import { meanOf, type Predictor } from "../evaluation/predictor.ts";
import { scoresOf } from "../evaluation/scores.ts";
import { VIEW_COUNTS, type ViewCount, viewsOf } from "../evaluation/views.ts";
import { type Gpu, openGpu } from "../gpu/device.ts";
import { type LoadedRun, loadRun } from "../load_run.ts";
import { ProgressLine } from "../progress.ts";
import { SPLIT_NAMES, type SplitName, writeEvaluation } from "../run_folder.ts";
import { readArguments } from "./arguments.ts";
import { runCommand } from "./command.ts";
import { formatEvaluation } from "./evaluation_report.ts";
import { openRecords } from "./open_for_model.ts";

const HELP = `Measures trained networks on a split of labelled images

Usage: topfive evaluate MODEL… --data DIR [options]

  MODEL               a run folder that topfive train made, or an ONNX file that topfive export wrote,
                      which ONNX Runtime answers for; of several, the probabilities are averaged
  --data DIR          the data, as topfive train reads it
  --split NAME        test (default; validation where the data has no test images), validation, train
  --views N           1: the centre crop (default); 10: corners and centre, each also mirrored, as
                      AlexNet's paper; 9: a grid of 3 x 3 crops. The probabilities are averaged
  --checkpoint NAME   best: the least validation error (default); latest, previous, or a file
  --predictions FILE  every image's label, rank and five first answers, as .csv or .jsonl
  --json              print JSON: also the confusion matrix, every class and the worst mistakes

Errors come with their 95 % intervals (Wilson). What one run gets is also kept in its folder, for
topfive publish and topfive report.

Examples
  topfive evaluate runs/first --data images --split test --views 10
  topfive evaluate runs/a runs/b runs/c --data images --predictions answers.csv
  topfive evaluate first.onnx --data images`;

interface Given {
  readonly models: readonly string[];
  readonly data: string;
  readonly split: SplitName | undefined;
  readonly views: ViewCount;
  readonly checkpoint: CheckpointName;
  readonly predictions: string | undefined;
  readonly json: boolean;
}

export function evaluateCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "evaluate", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const { options, positionals: models } = readArguments("evaluate", args, {
    data: "value",
    split: "value",
    views: "value",
    checkpoint: "value",
    predictions: "value",
    json: "switch",
  });
  const {
    data,
    split: name,
    views: viewsText = "1",
    checkpoint = "best",
    predictions,
    json = false,
  } = options;
  const refuse = (reason: string) => new SyntaxError(`Cannot evaluate: ${reason}`);
  if (models.length === 0 || data === undefined) {
    throw refuse("expected one model or several, and --data DIR");
  }
  const split = SPLIT_NAMES.find((known) => known === name);
  if (name !== undefined && split === undefined) {
    throw refuse(`--split is ${name} (expected ${SPLIT_NAMES.join(", ")})`);
  }
  const views = VIEW_COUNTS.find((known) => String(known) === viewsText);
  if (views === undefined) {
    throw refuse(`--views is ${viewsText} (expected ${VIEW_COUNTS.join(", ")})`);
  }
  if (predictions !== undefined && !predictionFormat(predictions)) {
    throw refuse(`--predictions is ${predictions} (expected a name that ends in .csv or .jsonl)`);
  }
  return { models, data, split, views, checkpoint, predictions, json };
}

/** A model as it was named: a run on the GPU, or an ONNX file. */
interface Opened {
  readonly predictor: Predictor;
  readonly run: LoadedRun | null;
}

/** What the models said together, and of which images. */
interface Answers {
  readonly classes: readonly string[];
  readonly dataset: Dataset;
  readonly splitName: SplitName;
  readonly split: Split;
  readonly probabilities: Float32Array;
  /** Of the first model. */
  readonly run: LoadedRun | null;
}

async function run(given: Given): Promise<number> {
  const { models, views, predictions, json } = given;
  const start = performance.now();
  const { classes, dataset, splitName, split, probabilities, run } = await askModels(given);
  const seconds = (performance.now() - start) / 1000;
  const scores = scoresOf(probabilities, split.labels, classes.length);
  const details: EvaluationDetails = {
    split: splitName,
    views,
    models: [...models],
    ...describeScores(scores, { classes, split }),
  };
  const { images, loss, top1Error, top5Error } = scores;
  const summary = { images, loss, top1Error, top5Error, dataFingerprint: dataset.fingerprint };
  if (run && models.length === 1) {
    const { step } = run.checkpoint.state;
    await writeEvaluation(models[0]!, { split: splitName, step, ...summary });
    await writeEvaluationDetails(models[0]!, details, { split, dataset });
  }
  if (predictions) await writePredictions(predictions, { split, classes, probabilities });
  if (json) {
    const step = run && models.length === 1 ? { step: run.checkpoint.state.step } : {};
    console.log(JSON.stringify({ ...details, ...step, ...summary }, null, 2));
  } else {
    console.log(formatEvaluation(details, seconds));
  }
  return 0;
}

/** One model at a time, so that no more than one is in memory. */
async function askModels(
  { models, data, split: asked, views, checkpoint }: Given,
): Promise<Answers> {
  const line = new ProgressLine();
  const answers: Float32Array[] = [];
  let first: Omit<Answers, "probabilities"> | null = null;
  let gpu: Gpu | null = null;
  try {
    for (const model of models) {
      if (!isOnnx(model)) gpu ??= await openGpu();
      const { predictor, run } = await openModel(model, gpu, checkpoint);
      const { classes, preprocess } = predictor;
      const dataset = await openRecords(data, preprocess);
      requireClasses(dataset, classes, model);
      const splitName = asked ?? (dataset.test ? "test" : "validation");
      const split = requireSplit(dataset, splitName, data);
      first ??= { classes, dataset, splitName, split, run };
      const onProgress = (images: number) =>
        line.update(`${model}: ${images} of ${split.count} images`);
      answers.push(
        await predictor.predict(split, { views: viewsOf(views, preprocess), onProgress }),
      );
      await predictor.close();
    }
  } finally {
    line.end();
    gpu?.close();
  }
  return { ...first!, probabilities: meanOf(answers) };
}

function isOnnx(model: string): boolean {
  return model.endsWith(".onnx");
}

async function openModel(
  model: string,
  gpu: Gpu | null,
  checkpoint: CheckpointName,
): Promise<Opened> {
  if (isOnnx(model)) return { predictor: await onnxPredictor(model), run: null };
  const run = await loadRun(model, checkpoint);
  return { predictor: await enginePredictor(gpu!, run), run };
}

function requireSplit(dataset: Dataset, name: SplitName, data: string): Split {
  const split = dataset[name];
  if (split) return split;
  throw new Error(
    `Cannot evaluate: ${data} has no ${name} images of its own (try --split validation)`,
  );
}

function requireClasses(dataset: Dataset, classes: readonly string[], model: string): void {
  if (JSON.stringify(dataset.classes) === JSON.stringify(classes)) return;
  throw new Error(
    `Cannot evaluate: the data's classes are ${dataset.classes.join(", ")}, ` +
      `those of ${model} are ${classes.join(", ")}`,
  );
}
