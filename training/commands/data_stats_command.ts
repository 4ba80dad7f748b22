import { type DataSummary, summarize } from "../dataset/data_summary.ts";
import { openDataset } from "../dataset/open_dataset.ts";
import { showProgress } from "../dataset/show_progress.ts";
import { readArguments } from "./arguments.ts";
import { formatBytes } from "../../shared/byte_size.ts";
import { runCommand } from "./command.ts";
import { formatBroken } from "./train_report.ts";

const HELP = `\
Say what a data set holds: images by class and split, colours, broken images, warnings

Usage: topfive data stats DATA [options]

Options:
  --side PIXELS    what an image folder is read at (default 96); its colours depend little on it
  --json           print one JSON object
  --help           show this text

DATA is an image folder, MNIST's four files, or what topfive prepare made. Colours are those of the
training images: mean and deviation of each channel, 0 to 255, and the principal components along
which colour noise (topfive train --color-noise) moves them.

Examples
  topfive data stats images
  topfive data stats prepared --json | jq .colors.mean`;

interface Given {
  readonly data: string;
  readonly side: number | undefined;
  readonly json: boolean;
}

/** `topfive data stats DATA`, see its --help. */
export function dataStatsCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "data stats", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const known = { side: "value", json: "switch" } as const;
  const { options, positionals: [data, ...rest] } = readArguments("count data", args, known);
  if (data === undefined) throw new SyntaxError("Cannot count data: no folder given");
  if (rest.length > 0) {
    throw new SyntaxError(`Cannot count data: too many folders (${rest.join()})`);
  }
  const side = options.side === undefined ? undefined : Number(options.side);
  if (side !== undefined && !(Number.isInteger(side) && side >= 1)) {
    throw new SyntaxError(
      `Cannot count data: --side is ${options.side} (expected a whole number, at least 1)`,
    );
  }
  return { data, side, json: options.json ?? false };
}

async function run({ data, side, json }: Given): Promise<number> {
  const onProgress = showProgress("read", "images");
  const dataset = await openDataset(data, { ...(side === undefined ? {} : { side }), onProgress });
  const summary = summarize(dataset);
  console.log(json ? JSON.stringify(summary) : formatSummary(data, summary));
  return 0;
}

/** As text; a file by its own line where it is broken, a line a class. */
export function formatSummary(data: string, summary: DataSummary): string {
  const { side, channels, images, classes, bytes, colors, broken, warnings, fingerprint } = summary;
  const total = images.train + images.validation + (images.test ?? 0);
  const cells = [
    ["class", "train", "validation", "test"],
    ...classes.map((row) => [row.name, row.train, row.validation, row.test ?? "-"].map(String)),
    ["all", images.train, images.validation, images.test ?? "-"].map(String),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]!.length)));
  const table = cells.map((row) =>
    row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)
    ).join("  ")
  );
  const list = (values: readonly number[], digits: number) =>
    values.map((value) => value.toFixed(digits)).join(", ");
  const components = colors.eigen.values.map((value, k) =>
    `  deviation ${Math.sqrt(Math.max(0, value)).toFixed(2)} along ` +
    `(${list(colors.eigen.vectors[k]!, 3)})`
  );
  return [
    `${data}: ${total.toLocaleString("en")} images of ${classes.length} classes, ` +
    `${side} x ${side} x ${channels} (${formatBytes(bytes)})`,
    "",
    ...table,
    "",
    `mean       ${list(colors.mean, 2)}`,
    `deviation  ${list(colors.std, 2)}`,
    "principal components of the colours",
    ...components,
    `fingerprint ${fingerprint}`,
    ...formatBroken(broken),
    ...warnings.map((warning) => `warning: ${warning}`),
  ].join("\n");
}
