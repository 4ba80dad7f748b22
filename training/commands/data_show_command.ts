import { BatchDraws } from "../augment/draw.ts";
import { shownImages } from "../augment/shown_images.ts";
import { type Config, makeConfig, parseModelName } from "../config.ts";
import type { Dataset, Split } from "../dataset/dataset.ts";
import { contactSheet } from "../dataset/shapes/contact_sheet.ts";
import { trainingStatistics } from "../dataset/statistics.ts";
import { openGpu } from "../gpu/device.ts";
import { MODELS } from "../models/models.ts";
import { normalize } from "../normalization.ts";
import { FLAG_NAMES, isSwitch, optionOf } from "../settings.ts";
import { writeAtomically } from "../write_atomically.ts";
import { type OptionKind, readArguments } from "./arguments.ts";
import { runCommand } from "./command.ts";
import { openForModel } from "./open_for_model.ts";

const OPTIONS = {
  model: "value",
  out: "value",
  rows: "value",
  columns: "value",
  step: "value",
  same: "switch",
} as const;
const SETTINGS: Record<string, OptionKind> = Object.fromEntries(
  FLAG_NAMES.map((name) => [optionOf(name), isSwitch(name) ? "on-off" : "value"]),
);

const HELP = `\
Draw what a network sees in training: a contact sheet, PNG

Usage: topfive data show DATA --out FILE [options] [settings]

Options:
  --out FILE       the sheet
  --model NAME     whose crop, mean and augmentation (default alexnet-small)
  --rows N         classes, a row each (default 10)
  --columns N      training images of each (default 10)
  --same           one image a row, with N draws
  --step N         the step whose draws are shown (default 0)
  --help           show this text
Settings are those of topfive train: --no-flip, --color-noise 0.1, --side 256, --seed 2 …

The pixels are those of the training kernel on the GPU, with the mean of each channel added again.

Examples
  topfive data show images --out sheet.png
  topfive data show imagenette --model alexnet --same --out draws.png`;

interface Given {
  readonly data: string;
  readonly out: string;
  readonly config: Config;
  readonly rows: number;
  readonly columns: number;
  readonly step: number;
  readonly same: boolean;
}

/** `topfive data show DATA`, see its --help. */
export function dataShowCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "data show", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const { options, positionals: [data, ...rest] } = readArguments("show data", args, {
    ...OPTIONS,
    ...SETTINGS,
  });
  if (data === undefined) throw new SyntaxError("Cannot show data: no folder given");
  if (rest.length > 0) throw new SyntaxError(`Cannot show data: too many folders (${rest.join()})`);
  if (options.out === undefined) throw new SyntaxError("Cannot show data: --out is missing");
  const count = (name: "rows" | "columns" | "step", fallback: number, least: number) => {
    const text = options[name] ?? String(fallback);
    if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
    throw new SyntaxError(
      `Cannot show data: --${name} is ${text} (expected a whole number, at least ${least})`,
    );
  };
  const flags: Readonly<Record<string, string | boolean | undefined>> = options;
  const settings = Object.fromEntries(FLAG_NAMES.map((name) => [name, flags[optionOf(name)]]));
  return {
    data,
    out: options.out,
    config: makeConfig(parseModelName(options.model ?? "alexnet-small"), settings),
    rows: count("rows", 10, 1),
    columns: count("columns", 10, 1),
    step: count("step", 0, 0),
    same: options.same ?? false,
  };
}

async function run({ data, out, config, rows, columns, step, same }: Given): Promise<number> {
  const dataset = await openForModel(data, config);
  const statistics = trainingStatistics(dataset);
  const { crop, channels } = MODELS[config.model];
  const { meanCrop, mean, std } = normalize(statistics, config, crop);
  const spec = { side: config.side, crop, channels, mean, std };
  const chosen = chooseRows(dataset, { rows, columns, same });
  const images = chosen.flatMap(({ indices }) => indices);
  const draws = new BatchDraws(images.length, spec, config, statistics.eigen);
  const batch = {
    records: readRecords(dataset.train, images),
    ...draws.at({ seed: config.seed, step }),
  };
  const gpu = await openGpu();
  try {
    const pictures = await shownImages(gpu, spec, batch, meanCrop);
    await writeAtomically(out, [contactSheet(pictures, { side: crop, columns })]);
  } finally {
    gpu.close();
  }
  const names = chosen.map(({ name }) => name).join(", ");
  console.log(`${out}: ${images.length} images; rows from above: ${names}`);
  return 0;
}

interface Row {
  readonly name: string;
  /** In the training split, as many as there are columns. */
  readonly indices: number[];
}

/** A row a class: its first training images, again from the first where there are too few. */
function chooseRows(
  { classes, train }: Dataset,
  { rows, columns, same }: Pick<Given, "rows" | "columns" | "same">,
): Row[] {
  const found = classes.slice(0, rows).map((name) => ({ name, images: [] as number[] }));
  train.labels.forEach((label, i) => {
    const images = found[label]?.images;
    if (images && images.length < (same ? 1 : columns)) images.push(i);
  });
  return found.filter(({ images }) => images.length > 0).map(({ name, images }) => ({
    name,
    indices: Array.from({ length: columns }, (_, i) => images[i % images.length]!),
  }));
}

function readRecords({ source }: Split, indices: readonly number[]): Uint8Array<ArrayBuffer> {
  // The kernel reads words of four bytes.
  const records = new Uint8Array(Math.ceil(indices.length * source.recordBytes / 4) * 4);
  indices.forEach((index, i) => source.readInto(index, records, i * source.recordBytes));
  return records;
}
