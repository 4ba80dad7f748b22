/** An evaluation in words and columns. */
import { percent } from "../../shared/percent.ts";
import type { EvaluationDetails } from "../evaluation/evaluation_details.ts";

/** A matrix of more classes does not fit a terminal. */
const MOST_CLASSES = 12;
const MOST_MISTAKES = 5;
const MOST_NAME = 14;

export function formatEvaluation(details: EvaluationDetails, seconds: number): string {
  const { split, images, views, models, classes } = details;
  const seen = views === 1 ? "" : `, ${views} views each`;
  const asked = models.length === 1 ? "" : `, the mean of ${models.length} models`;
  const range = ([low, high]: readonly [number, number]) =>
    `${(100 * low).toFixed(2)} to ${percent(high)} at 95 %`;
  return [
    `${split}: ${images} images${seen}${asked} in ${seconds.toFixed(1)} s`,
    `  top-1 error ${percent(details.top1Error)}   ${range(details.top1Interval)}`,
    `  top-5 error ${percent(details.top5Error)}   ${range(details.top5Interval)}`,
    `  loss        ${details.loss.toFixed(4)}`,
    `  calibration error ${percent(details.calibrationError)}`,
    "",
    ...classes.length <= MOST_CLASSES ? confusionLines(details) : classLines(details),
    ...mistakeLines(details),
  ].join("\n");
}

/** A row a class: how often its images were taken for each. */
function confusionLines({ classes, confusion }: EvaluationDetails): string[] {
  const names = classes.map(({ name }) => shorten(name));
  const wide = Math.max(...names.map((name) => name.length), 5);
  const cells = new Map(confusion.map(([label, answer, count]) => [`${label} ${answer}`, count]));
  const cell = (text: string | number) => String(text).padStart(6);
  const columns = classes.map((_, c) => cell(letter(c))).join("");
  return [
    `  ${"class".padEnd(wide + 2)}${columns}   error`,
    ...names.map((name, label) => {
      const counts = names.map((_, answer) => cell(cells.get(`${label} ${answer}`) ?? "·"));
      const error = classes[label]!.top1Error;
      const own = error === null ? "–" : `${(100 * error).toFixed(1)} %`;
      return `${letter(label)} ${name.padEnd(wide + 2)}${counts.join("")}  ${own.padStart(7)}`;
    }),
  ];
}

function letter(index: number): string {
  return String.fromCharCode("a".charCodeAt(0) + index);
}

/** The classes with the most errors. */
function classLines({ classes }: EvaluationDetails): string[] {
  const hardest = classes.filter(({ top1Error }) => top1Error !== null)
    .sort((a, b) => b.top1Error! - a.top1Error! || b.images - a.images).slice(0, MOST_CLASSES);
  const wide = Math.max(...hardest.map(({ name }) => name.length));
  return [
    "hardest classes",
    ...hardest.map(({ name, images, top1Error, top5Error }) =>
      `  ${name.padEnd(wide)}  top-1 ${percent(top1Error!).padStart(8)}  ` +
      `top-5 ${percent(top5Error!).padStart(8)}  of ${images} images`
    ),
  ];
}

function mistakeLines({ worst }: EvaluationDetails): string[] {
  if (worst.length === 0) return [];
  return [
    "",
    "worst mistakes",
    ...worst.slice(0, MOST_MISTAKES).map((mistake) =>
      `  ${mistake.file ?? `image ${mistake.index}`}: ${mistake.label} taken for ` +
      `${mistake.predicted}, ${percent(mistake.predictedProbability)} ` +
      `(${mistake.label}: ${percent(mistake.labelProbability)})`
    ),
  ];
}

function shorten(name: string): string {
  return name.length <= MOST_NAME ? name : `${name.slice(0, MOST_NAME - 1)}…`;
}
