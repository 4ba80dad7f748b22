import { DEFAULT_MAX_PIXELS } from "../../shared/image/image.ts";
import { prepare, type PrepareOptions, type PrepareProgress } from "../prepare/prepare.ts";
import { formatReport } from "../prepare/report.ts";
import { HOW_TO_GET_SYNSETS } from "../prepare/sources/ilsvrc_source.ts";
import { verifyPrepared } from "../prepare/verify.ts";
import { formatDuration, ProgressLine } from "../progress.ts";
import { readArguments } from "./arguments.ts";
import { parseByteSize } from "../../shared/byte_size.ts";
import { runCommand } from "./command.ts";

const DEFAULTS = { seed: 1, validationShare: 0.1, testShare: 0.1, shardBytes: 256e6 } as const;

const HELP = `\
Prepares labelled images for training: decoded, resized and cropped once, in files of fixed records

Usage: topfive prepare SOURCE OUT [options]
       topfive prepare --check OUT

SOURCE is one of these, as a path or an object store's address (s3://bucket/prefix, file:///folder):
  an image folder      train/<class>/*.jpg with validation/ and test/ beside it, or <class>/*.jpg
  ILSVRC-2012          a folder of ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar,
                       ILSVRC2012_validation_ground_truth.txt and synsets.txt, read where they lie
  CIFAR-10, CIFAR-100  the binary version: cifar-10-binary.tar.gz, or a folder of its files
  MNIST                a folder of the four IDX files, plain or .gz
  a list               FILE.csv or FILE.jsonl with path, label and, if known, split

Options
  --side N               height and width of a record: the shorter side is resized to it and the
                         central square kept (default 256; of CIFAR and MNIST their own)
  --channels N           3 (default) or 1 (default of MNIST)
  --validation-share P   of images whose split SOURCE does not say (default ${DEFAULTS.validationShare}), by content
  --test-share P         likewise, where SOURCE has no splits at all (default ${DEFAULTS.testShare})
  --seed S               order of the training images (default ${DEFAULTS.seed})
  --shard-size BYTES     most of a file (default 256MB)
  --max-pixels N         larger images are left out (default ${DEFAULT_MAX_PIXELS})
  --workers N            images read at a time (default: one a core); the bytes are the same
  --json                 print the report as JSON
  --check OUT            read what was prepared and compare checksums

OUT gets the shards, report.json, broken.jsonl, mean-image.f32 and, last, index.json. Give it as
--data to train, evaluate and tune. Killed at any moment, the same command goes on at the shard where
it was. Broken images are named and left out. Symbolic links that lead out of SOURCE are not followed.

synsets.txt is ILSVRC-2012's class list in the order of the ground truth:
  ${HOW_TO_GET_SYNSETS}

Examples
  topfive prepare pictures prepared && topfive train --model alexnet --data prepared --out runs/first
  topfive prepare /data/ilsvrc2012 /fast/imagenet
  topfive prepare labels.csv prepared --side 72 --validation-share 0.2`;

const OPTIONS = {
  side: "value",
  channels: "value",
  "validation-share": "value",
  "test-share": "value",
  seed: "value",
  "shard-size": "value",
  "max-pixels": "value",
  workers: "value",
  json: "switch",
  check: "value",
} as const;

type Given =
  | { readonly check: string; readonly json: boolean }
  | { readonly check: undefined; readonly json: boolean; readonly options: PrepareOptions };

/** `topfive prepare SOURCE OUT`, see its --help. */
export function prepareCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "prepare", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const { options, positionals } = readArguments("prepare", args, OPTIONS);
  const { json = false, check } = options;
  if (check !== undefined && positionals.length === 0) return { check, json };
  const [source, folder] = positionals;
  if (source === undefined || folder === undefined || positionals.length > 2 || check) {
    throw new SyntaxError("Cannot prepare: expected SOURCE OUT, or --check OUT");
  }
  const number = (name: keyof typeof OPTIONS, expected: string, isGood: (n: number) => boolean) => {
    const text = options[name];
    if (text === undefined) return undefined;
    const value = Number(text);
    if (typeof text === "string" && text.trim() !== "" && isGood(value)) return value;
    throw new SyntaxError(`Cannot prepare: --${name} is ${text} (expected ${expected})`);
  };
  const whole = (name: keyof typeof OPTIONS, least: number, most: number) =>
    number(
      name,
      `a whole number from ${least} to ${most}`,
      (value) => Number.isInteger(value) && value >= least && value <= most,
    );
  const share = (name: "validation-share" | "test-share", value: number) =>
    number(name, "a number from 0 to 0.9", (value) => value >= 0 && value <= 0.9) ?? value;
  const shardSize = options["shard-size"];
  const shardBytes = shardSize === undefined ? DEFAULTS.shardBytes : parseByteSize(shardSize);
  if (shardBytes === undefined) {
    throw new SyntaxError(`Cannot prepare: --shard-size is ${shardSize} (expected as in 256MB)`);
  }
  const channels = number("channels", "1 or 3", (value) => value === 1 || value === 3);
  const settings = {
    side: whole("side", 1, 4096),
    channels: channels as 1 | 3 | undefined,
    seed: whole("seed", 0, Number.MAX_SAFE_INTEGER) ?? DEFAULTS.seed,
    validationShare: share("validation-share", DEFAULTS.validationShare),
    testShare: share("test-share", DEFAULTS.testShare),
    shardBytes,
    maxPixels: whole("max-pixels", 1, 2 ** 31) ?? DEFAULT_MAX_PIXELS,
  };
  const workers = whole("workers", 1, 1024);
  return { check: undefined, json, options: { source, folder, settings, workers } };
}

async function run(given: Given): Promise<number> {
  const line = new ProgressLine();
  if (given.check !== undefined) return await check(given.check, line);
  const { json, options } = given;
  try {
    const prepared = await prepare({
      ...options,
      onProgress: (progress) => line.update(describe(progress)),
    });
    line.end();
    const { report, side, channels, done, resumed, seconds } = prepared;
    const perSecond = done / seconds;
    if (json) {
      console.log(JSON.stringify({ ...report, side, channels, resumed, seconds, perSecond }));
      return 0;
    }
    const pace = done === 0
      ? "it was prepared before"
      : `${done} images in ${formatDuration(seconds)}, ${Math.round(perSecond)}/s` +
        (resumed > 0 ? `; ${resumed} were done before` : "");
    console.log(`${options.folder}: records of ${side} x ${side} x ${channels}; ${pace}`);
    console.log(formatReport(report));
    return 0;
  } finally {
    line.end();
  }
}

function describe({ stage, done, total, broken, resumed, perSecond }: PrepareProgress): string {
  const left = (total - done) / perSecond;
  return [
    `${stage} ${done} of ${total} images`,
    `${Math.round(perSecond)}/s`,
    `${formatDuration(left)} left`,
    ...(broken > 0 ? [`${broken} broken`] : []),
    ...(resumed > 0 ? [`${resumed} were done before`] : []),
  ].join("  ");
}

async function check(folder: string, line: ProgressLine): Promise<number> {
  const problems = await verifyPrepared(
    folder,
    (done, total) => line.update(`checked ${done} of ${total} shards`),
  );
  line.end();
  for (const problem of problems) console.log(problem);
  console.log(`${folder}: ${problems.length === 0 ? "every shard is whole" : "damaged"}`);
  return problems.length === 0 ? 0 : 1;
}
