import { CsvParseStream } from "@std/csv/parse-stream";
import { TextLineStream } from "@std/streams/text-line-stream";
import type { BrokenImage } from "../../dataset/dataset.ts";
import type { Source, SourceImage, SplitName } from "./source.ts";
import { escapes, openSourceFiles, splitAddress } from "./source_files.ts";

/** The columns' names, as lists in use call them; the first that a row has counts. */
const COLUMNS = {
  path: ["path", "file", "filename", "image"],
  label: ["label", "class", "synset"],
  split: ["split"],
} as const;

const SPLITS: Readonly<Record<string, SplitName>> = {
  train: "train",
  val: "validation",
  valid: "validation",
  validation: "validation",
  test: "test",
};

type Row = Readonly<Record<string, unknown>>;

/** Whether a file's name is that of a list. */
export function isListName(name: string): boolean {
  return /\.(csv|jsonl|ndjson)$/i.test(name);
}

/**
 * A CSV file with a row of names, or a JSON object a line: path, label and, where it is known,
 * split. Paths are relative to the list's folder. Labels that are all numbers are classes in the
 * order of the numbers, others in code-unit order.
 *
 * @throws {SyntaxError} a row has no path or no label, or names an unknown split
 */
export async function openListSource(address: string): Promise<Source> {
  const { parent, name } = splitAddress(address);
  const files = openSourceFiles(parent);
  const found: { path: string; label: string; split: SplitName | null }[] = [];
  const refused: BrokenImage[] = [];
  const text = (await files.stream(name)).pipeThrough(new TextDecoderStream());
  let rowNumber = 0;
  for await (const row of /\.csv$/i.test(name) ? csvRows(text) : jsonRows(text, name)) {
    rowNumber++;
    const { path, label, split } = readRow(row, `row ${rowNumber} of ${name}`);
    if (escapes(path)) {
      refused.push({ file: path, reason: "its path leads out of the list's folder" });
    } else found.push({ path, label, split });
  }
  files.close();
  if (found.length === 0) throw new Error(`Cannot read list ${address}: it names no images`);
  const classes = inOrder([...new Set(found.map(({ label }) => label))]);
  const labels = new Map(classes.map((name, label) => [name, label]));
  const images = found.map(({ path, label, split }): SourceImage => ({
    name: path,
    file: path,
    label: labels.get(label)!,
    split,
  }));
  return { kind: "list", address: parent, classes, images, raw: null, refused, warnings: [] };
}

function csvRows(text: ReadableStream<string>): ReadableStream<Row> {
  return text.pipeThrough(new CsvParseStream({ skipFirstRow: true }));
}

async function* jsonRows(text: ReadableStream<string>, name: string): AsyncGenerator<Row> {
  let number = 0;
  for await (const line of text.pipeThrough(new TextLineStream())) {
    number++;
    if (line.trim() === "") continue;
    try {
      yield Object(JSON.parse(line));
    } catch (cause) {
      throw new SyntaxError(`Cannot read list: line ${number} of ${name} is no JSON`, { cause });
    }
  }
}

function readRow(row: Row, place: string) {
  const field = (column: keyof typeof COLUMNS): string => {
    const name = COLUMNS[column].find((name) => row[name] !== undefined && row[name] !== null);
    return name === undefined ? "" : String(row[name]);
  };
  const path = field("path"), label = field("label"), split = field("split").toLowerCase();
  for (const [column, value] of Object.entries({ path, label })) {
    if (value !== "") continue;
    throw new SyntaxError(
      `Cannot read list: ${place} has no ${column} ` +
        `(expected columns ${COLUMNS.path.join("|")}, ${COLUMNS.label.join("|")}[, split])`,
    );
  }
  if (split !== "" && !Object.hasOwn(SPLITS, split)) {
    throw new SyntaxError(
      `Cannot read list: ${place} has split ${split} (expected train, validation or test)`,
    );
  }
  return { path, label, split: SPLITS[split] ?? null };
}

function inOrder(labels: string[]): string[] {
  const areNumbers = labels.every((label) => /^\d+$/.test(label));
  return areNumbers ? labels.sort((a, b) => Number(a) - Number(b)) : labels.sort();
}
