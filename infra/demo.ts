// ./topfive demo: the whole path, by the very commands that a user would type.
import { existsSync, readdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { formatPredictions } from "./demo/bars.ts";
import { CommandError, commandLine, runCommand } from "./demo/command.ts";
import { classify, freePort, startService } from "./demo/service.ts";
import { pickTestImages } from "./demo/test_images.ts";
import { showsPictures, thumbnail, THUMBNAIL_WIDTH } from "./demo/thumbnail.ts";

const HELP = `Shows the whole path: draws images, trains on them, evaluates, publishes, serves, asks

Usage: ./topfive demo [--exit] [--keep DIR] [--port N]

  --exit      end after the answers; otherwise the service runs until Ctrl-C
  --keep DIR  put images, run and store there (default: .topfive/demo, which each demo replaces)
  --port N    the service's port (default: 8000, or a free one where that is taken)`;

const MODEL = "shapes";
const DEFAULT_PORT = 8000;
const SHOWN_IMAGES = 5;
const BLANK = " ".repeat(THUMBNAIL_WIDTH);

interface Options {
  exit: boolean;
  keep: string | undefined;
  port: number | undefined;
}

interface Folders {
  images: string;
  run: string;
  store: string;
}

/** Prints a heading and the command, runs it, prints the time it took. */
async function stage(title: string, args: readonly string[]): Promise<void> {
  const start = performance.now();
  heading(title, args);
  await runCommand(args);
  console.log(`  (${((performance.now() - start) / 1000).toFixed(1)} s)`);
}

function heading(title: string, args: readonly string[]): void {
  const bold = Deno.stdout.isTerminal() && !Deno.noColor;
  console.log(`\n${bold ? `\x1b[1m${title}\x1b[0m` : title}\n$ ${commandLine(args)}`);
}

/** Makes the demo's folder; only its own default folder is ever emptied. */
function prepareFolders(keep: string | undefined): Folders {
  const home = keep === undefined
    ? resolve(import.meta.dirname!, "../.topfive/demo")
    : resolve(keep);
  if (existsSync(home) && readdirSync(home).length > 0) {
    if (keep !== undefined) {
      throw new Error(`Cannot use ${keep}: it is not empty (name a new folder)`);
    }
    Deno.removeSync(home, { recursive: true });
  }
  Deno.mkdirSync(home, { recursive: true });
  const path = (name: string) => relative(Deno.cwd(), join(home, name)) || ".";
  return { images: path("images"), run: path("run"), store: path("store") };
}

async function train({ images, run, store }: Folders): Promise<void> {
  await stage("Draw a labelled image set: shapes, not photographs, so that nothing is downloaded", [
    ...["data", "make", images, "--train", "3000", "--validation", "500", "--test", "500"],
    ...["--seed", "1"],
  ]);
  await stage("Train a small AlexNet on it, on WebGPU", [
    ...["train", "--model", "alexnet-small", "--data", images, "--out", run, "--epochs", "6"],
  ]);
  await stage("Evaluate it on images that training never saw", [
    ...["evaluate", run, "--data", images, "--split", "test"],
  ]);
  await stage("Export it as ONNX and publish it to an object store, here a folder", [
    ...["publish", run, "--store", store, "--name", MODEL],
  ]);
}

async function askAboutTestImages(origin: string, folder: string): Promise<void> {
  const colour = Deno.stdout.isTerminal() && !Deno.noColor;
  const images = pickTestImages(folder, SHOWN_IMAGES);
  let right = 0;
  for (const { file, label } of images) {
    const bytes = await Deno.readFile(file);
    const { predictions, milliseconds } = await classify(origin, bytes);
    if (predictions[0]?.label === label) right++;
    const lines = [
      file,
      `answered in ${milliseconds.toFixed(0)} ms`,
      "",
      ...formatPredictions(predictions, label, colour),
    ];
    const picture = showsPictures() ? await thumbnail(bytes) : [];
    console.log();
    for (let i = 0; i < Math.max(lines.length, picture.length); i++) {
      console.log(`  ${picture.length > 0 ? `${picture[i] ?? BLANK}  ` : ""}${lines[i] ?? ""}`);
    }
  }
  console.log(`\n${right} of ${images.length} right at the first guess`);
}

async function demo({ exit, keep, port }: Options): Promise<void> {
  const start = performance.now();
  const folders = prepareFolders(keep);
  await train(folders);

  const serve = ["serve", "--store", folders.store, "--model", MODEL];
  serve.push("--port", String(port ?? freePort(DEFAULT_PORT)));
  heading("Serve it, and ask about test images over HTTP", serve);
  const service = await startService(serve);
  try {
    await askAboutTestImages(service.origin, join(folders.images, "test"));
    console.log(`\nThe whole demo took ${((performance.now() - start) / 1000).toFixed(0)} s`);
    if (exit) return;
    console.log(`
Try an image of your own (it knows the drawn shapes alone):
  curl --data-binary @photo.jpg ${service.origin}/v1/classify
or drop one onto the page: ${service.origin}/

The service runs until Ctrl-C`);
    service.showLog();
    await service.ended;
  } finally {
    await service.stop();
  }
}

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      exit: { type: "boolean", default: false },
      keep: { type: "string" },
      port: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return undefined;
  const port = values.port === undefined ? undefined : Number(values.port);
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65535)) {
    throw new RangeError(`Cannot listen on port ${values.port}: expected 0 to 65535`);
  }
  return { exit: values.exit, keep: values.keep, port };
}

try {
  const options = readOptions();
  if (options) await demo(options);
  else console.log(HELP);
} catch (error) {
  console.error(`topfive: ${error instanceof Error ? error.message : error}`);
  Deno.exitCode = error instanceof CommandError ? error.code : 2;
}
