/** Every answer of an evaluation as a file for other tools: CSV or JSON lines. */
import { topK } from "../../shared/top_k.ts";
import type { Split } from "../dataset/dataset.ts";
import { writeAtomically } from "../write_atomically.ts";
import { rankOf } from "./scores.ts";

const TOP = 5;

export interface Predictions {
  readonly split: Split;
  readonly classes: readonly string[];
  /** [images, classes] */
  readonly probabilities: Float32Array;
}

/** The format that a file name asks for, or undefined. */
export function predictionFormat(path: string): "csv" | "jsonl" | undefined {
  return (["csv", "jsonl"] as const).find((format) => path.endsWith(`.${format}`));
}

/** A line an image: its file where it has one, its label, and the five first answers. */
export async function writePredictions(path: string, predictions: Predictions): Promise<void> {
  const lines = predictionFormat(path) === "csv" ? csvLines(predictions) : jsonLines(predictions);
  await writeAtomically(path, [new TextEncoder().encode([...lines, ""].join("\n"))]);
}

function* answersOf({ split, classes, probabilities }: Predictions) {
  for (let index = 0; index < split.count; index++) {
    const row = probabilities.subarray(index * classes.length, (index + 1) * classes.length);
    const label = split.labels[index]!;
    yield {
      index,
      file: split.files?.[index] ?? null,
      label: classes[label]!,
      rank: rankOf(row, label) + 1,
      labelProbability: row[label]!,
      predictions: topK(row, TOP).map(({ index, probability }) => ({
        label: classes[index]!,
        probability,
      })),
    };
  }
}

function* jsonLines(predictions: Predictions): Generator<string> {
  for (const answer of answersOf(predictions)) yield JSON.stringify(answer);
}

/** RFC 4180, with a header; a prediction takes two columns. */
function* csvLines(predictions: Predictions): Generator<string> {
  const shown = Math.min(TOP, predictions.classes.length);
  const columns = Array.from({ length: shown }, (_, i) => [`top${i + 1}`, `probability${i + 1}`]);
  yield ["index", "file", "label", "rank", "label_probability", ...columns.flat()].join();
  for (const { predictions: top, ...answer } of answersOf(predictions)) {
    const { index, file, label, rank, labelProbability } = answer;
    const answers = top.flatMap(({ label, probability }) => [label, probability]);
    yield [index, file ?? "", label, rank, labelProbability, ...answers].map(csvField).join();
  }
}

function csvField(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
