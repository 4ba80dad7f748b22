import { PRESETS } from "../../shared/classifier/preprocess_file.ts";
import type { RecordSpec } from "../../shared/image/preprocess.ts";
import type { Dataset, Split } from "../dataset/dataset.ts";
import {
  describeScores,
  type EvaluationDetails,
  writeEvaluationDetails,
} from "../evaluation/evaluation_details.ts";
import { matchClasses, reorderClasses } from "../evaluation/match_classes.ts";
import { isOnnx, ModelOpener, type NamedModels } from "../evaluation/open_models.ts";
import { predictionFormat, writePredictions } from "../evaluation/prediction_file.ts";
import { meanOf } from "../evaluation/predictor.ts";
import { scoresOf } from "../evaluation/scores.ts";
import { VIEW_COUNTS, type ViewCount, viewsOf } from "../evaluation/views.ts";
import type { LoadedRun } from "../load_run.ts";
import { ProgressLine } from "../progress.ts";
import { SPLIT_NAMES, type SplitName, writeEvaluation } from "../run_folder.ts";
import { readArguments } from "./arguments.ts";
import { runCommand } from "./command.ts";
import { formatEvaluation } from "./evaluation_report.ts";
import { openRecords } from "./open_for_model.ts";

const SPLITS = [...SPLIT_NAMES, "all"] as const;

const HELP = `Measures networks on a split of labelled images

Usage: topfive evaluate MODEL… --data DIR [options]
       topfive evaluate [MODEL…] --store STORE --name NAME --data DIR [options]

  MODEL               a run folder that topfive train made, or an ONNX file, for which ONNX Runtime
                      answers; of several, the probabilities are averaged
  --labels FILE       of ONNX files that topfive export did not write: a line a class, or JSON
  --preprocess WHAT   how images are fed to those: a preset (${
  Object.keys(PRESETS).join(", ")
}) or a
                      JSON file, see topfive import --help
  --store STORE       a published model too: a folder, or s3://bucket/prefix
  --name NAME         its name; NAME@ALIAS or NAME@VERSION for another than the live one
  --data DIR          the data, as topfive train reads it. Folders may have a part of a model's
                      classes, named by its labels, their WordNet ids (n01440764) or their indices
  --split NAME        test (default; validation where the data has no test images), validation,
                      train, or all: every image of the folder, whose splits may then be missing
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
  topfive evaluate first.onnx --data images
  topfive evaluate squeezenet.onnx --labels synset.txt --preprocess caffe --data photos --split all`;

interface Given extends NamedModels {
  readonly data: string;
  readonly split: SplitName | "all" | undefined;
  readonly views: ViewCount;
  readonly predictions: string | undefined;
  readonly json: boolean;
}

export function evaluateCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "evaluate", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const { options, positionals: models } = readArguments("evaluate", args, {
    data: "value",
    labels: "value",
    preprocess: "value",
    store: "value",
    name: "value",
    split: "value",
    views: "value",
    checkpoint: "value",
    predictions: "value",
    json: "switch",
  });
  const {
    data,
    labels,
    preprocess,
    store,
    name,
    split: splitText,
    views: viewsText = "1",
    checkpoint = "best",
    predictions,
    json = false,
  } = options;
  const refuse = (reason: string) => new SyntaxError(`Cannot evaluate: ${reason}`);
  if ((store === undefined) !== (name === undefined)) {
    throw refuse("--store and --name go together");
  }
  const published = store !== undefined && name !== undefined ? { store, name } : undefined;
  if ((models.length === 0 && !published) || data === undefined) {
    throw refuse("expected one model or several, and --data DIR");
  }
  if ((labels === undefined) !== (preprocess === undefined)) {
    throw refuse("--labels and --preprocess go together");
  }
  const foreign = labels !== undefined && preprocess !== undefined
    ? { labels, preprocess }
    : undefined;
  if (foreign && !models.some(isOnnx)) {
    throw refuse("--labels and --preprocess are of ONNX files, and none is named");
  }
  const split = SPLITS.find((known) => known === splitText);
  if (splitText !== undefined && split === undefined) {
    throw refuse(`--split is ${splitText} (expected ${SPLITS.join(", ")})`);
  }
  const views = VIEW_COUNTS.find((known) => String(known) === viewsText);
  if (views === undefined) {
    throw refuse(`--views is ${viewsText} (expected ${VIEW_COUNTS.join(", ")})`);
  }
  if (predictions !== undefined && !predictionFormat(predictions)) {
    throw refuse(`--predictions is ${predictions} (expected a name that ends in .csv or .jsonl)`);
  }
  return { models, data, foreign, published, split, views, checkpoint, predictions, json };
}

async function run(given: Given): Promise<number> {
  const { models, views, predictions, json } = given;
  const start = performance.now();
  const answers = await askModels(given);
  const { asked, classes, dataset, splitName, split, probabilities } = answers;
  const seconds = (performance.now() - start) / 1000;
  const scores = scoresOf(probabilities, split.labels, classes.length);
  const details: EvaluationDetails = {
    split: splitName,
    views,
    models: [...asked],
    ...describeScores(scores, { classes, split }),
  };
  const { images, loss, top1Error, top5Error } = scores;
  const summary = { images, loss, top1Error, top5Error, dataFingerprint: dataset.fingerprint };
  const step = answers.run?.checkpoint.state.step;
  if (step !== undefined && asked.length === 1 && splitName !== "all") {
    await writeEvaluation(models[0]!, { split: splitName, step, ...summary });
    await writeEvaluationDetails(models[0]!, details, { split, dataset });
  }
  if (predictions) await writePredictions(predictions, { split, classes, probabilities });
  if (json) {
    const trained = step !== undefined && asked.length === 1 ? { step } : {};
    console.log(JSON.stringify({ ...details, ...trained, ...summary }, null, 2));
  } else {
    console.log(formatEvaluation(details, seconds));
  }
  return 0;
}

/** What the models said together, and of which images. */
interface Answers {
  /** The models' names. */
  readonly asked: readonly string[];
  readonly classes: readonly string[];
  readonly dataset: Dataset;
  readonly splitName: SplitName | "all";
  /** Its labels count the classes of the first model. */
  readonly split: Split;
  readonly probabilities: Float32Array;
  /** Of the first model. */
  readonly run: LoadedRun | null;
}

/** One model at a time, so that no more than one is in memory. */
async function askModels(given: Given): Promise<Answers> {
  const line = new ProgressLine();
  const asked: string[] = [], answers: Float32Array[] = [];
  let first: Omit<Answers, "asked" | "probabilities"> | null = null;
  using opener = new ModelOpener(given);
  try {
    for (const { name, open } of opener.all()) {
      const { predictor, run } = await open();
      const { classes, preprocess } = predictor;
      const { dataset, splitName, split } = await openSplit(given, preprocess);
      const places = matchClasses(dataset.classes, classes, { names: given.data, labels: name });
      const labels = split.labels.map((label) => places[label]!);
      first ??= { classes, dataset, splitName, split: { ...split, labels }, run };
      const onProgress = (images: number) =>
        line.update(`${name}: ${images} of ${split.count} images`);
      const views = viewsOf(given.views, preprocess);
      const probabilities = await predictor.predict(split, { views, onProgress });
      answers.push(reorderClasses(probabilities, orderOf(first.classes, classes, name)));
      asked.push(name);
      await predictor.close();
    }
  } finally {
    line.end();
  }
  return { ...first!, asked, probabilities: meanOf(answers) };
}

/** Of each class of the first model the place in another's. */
function orderOf(first: readonly string[], classes: readonly string[], name: string): Uint32Array {
  if (first.length !== classes.length) {
    throw new Error(
      `Cannot evaluate: ${name} has ${classes.length} classes, the first model ${first.length}`,
    );
  }
  return matchClasses(first, classes, { names: "the first model", labels: name });
}

async function openSplit({ data, split: wanted }: Given, spec: RecordSpec) {
  const splits = wanted === "all" ? "together" : "any";
  const dataset = await openRecords(data, spec, { splits });
  if (wanted === "all") {
    return { dataset, splitName: wanted, split: requireSplit(dataset, "test", data) };
  }
  const splitName = wanted ?? (dataset.test ? "test" : "validation");
  return { dataset, splitName, split: requireSplit(dataset, splitName, data) };
}

function requireSplit(dataset: Dataset, name: SplitName, data: string): Split {
  const split = dataset[name];
  if (split && split.count > 0) return split;
  throw new Error(
    `Cannot evaluate: ${data} has no ${name} images of its own (try --split validation, or all)`,
  );
}
