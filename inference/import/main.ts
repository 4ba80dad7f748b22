import { basename } from "@std/path";
import { parseArgs } from "node:util";
import { parseSafeName } from "../../shared/manifest.ts";
import { publishModel } from "../../shared/model_registry.ts";
import { openStore } from "../../shared/object_store/open_store.ts";
import config from "../deno.json" with { type: "json" };
import { describeImport } from "./import_model.ts";
import { parseLabels } from "../../shared/classifier/labels.ts";
import { PRESETS } from "../../shared/classifier/preprocess_file.ts";

const HELP =
  `Publishes any ONNX image classifier with one image input, so that topfive serve answers with it

Usage: topfive import MODEL.onnx --labels FILE --preprocess FILE|PRESET --store STORE --name NAME

  MODEL.onnx         float32 [batch, channels, side, side] to float32 [batch, classes]; the weights
                     inside the file
  --labels FILE      one line a class, a JSON array, or a JSON object from index to label
  --preprocess WHAT  a preset, or a JSON file with side, crop, resize (crop, squash), order (rgb,
                     bgr), scale (255, 1), mean and std
  --store STORE      the object store: a folder, or s3://bucket/prefix with the usual AWS variables
  --name NAME        the model's name in the store
  --version V        default: the time and the first digits of the file's SHA-256
  --output NAME      the output to take where the model has several
  --test-image FILE  image of the self-test that every service runs at loading (default: a drawing)
  --json             print the manifest

Presets
${Object.entries(PRESETS).map(([name, { help }]) => `  ${name.padEnd(12)} ${help}`).join("\n")}

Examples
  topfive import squeezenet.onnx --labels synset.txt --preprocess caffe --store store --name squeezenet
  topfive import mnist.onnx --labels digits.txt --preprocess bytes --store store --name digits`;

const OPTIONS = {
  labels: { type: "string" },
  preprocess: { type: "string" },
  store: { type: "string" },
  name: { type: "string" },
  version: { type: "string" },
  output: { type: "string" },
  "test-image": { type: "string" },
  json: { type: "boolean", default: false },
} as const;

class UsageError extends Error {}

function read(args: readonly string[]) {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`Cannot import: ${(error as Error).message}`);
  }
  const { values, positionals: [file, ...others] } = parsed;
  const { labels, preprocess, store, name } = values;
  if (!file || others.length > 0 || !labels || !preprocess || !store || !name) {
    throw new UsageError(
      "Cannot import: expected one ONNX file, --labels, --preprocess, --store and --name",
    );
  }
  parseSafeName("model name", name);
  if (values.version !== undefined) parseSafeName("model version", values.version);
  return { ...values, file, labels, preprocess, store, name };
}

async function run(args: readonly string[]): Promise<void> {
  const given = read(args);
  const weights = await Deno.readFile(given.file);
  const preprocess = Object.hasOwn(PRESETS, given.preprocess)
    ? given.preprocess
    : await Deno.readTextFile(given.preprocess);
  const testImage = given["test-image"];
  const description = await describeImport(weights, {
    name: given.name,
    version: given.version,
    labels: parseLabels(await Deno.readTextFile(given.labels)),
    preprocess,
    output: given.output,
    testImage: testImage === undefined ? undefined : await Deno.readFile(testImage),
    file: basename(given.file),
    codeVersion: config.version,
  });
  const manifest = await publishModel(
    openStore(given.store),
    { weights, manifest: description },
    { by: "topfive import", reason: `imported from ${basename(given.file)}` },
  );
  if (given.json) return console.log(JSON.stringify(manifest, null, 2));
  const { input, output, selfTest } = manifest;
  const [best] = selfTest!.top;
  console.log(
    `published ${manifest.name} ${manifest.version}: ${(weights.length / 1e6).toFixed(1)} MB, ` +
      `${input.shape.slice(1).join(" x ")} to ${output.classes} classes` +
      `${output.activation === "softmax" ? " (scores, softmax is applied)" : ""}; self-test: ` +
      `${manifest.labels[best!.index]} ${(100 * best!.probability).toFixed(1)} %`,
  );
}

/** Exit code: 0, 1 when the model is refused, 2 when the command line cannot be read. */
export async function importCommand(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(HELP);
    return 0;
  }
  try {
    await run(args);
    return 0;
  } catch (error) {
    console.error(`topfive: ${error instanceof Error ? error.message : error}`);
    if (!(error instanceof UsageError)) return 1;
    console.error("Try: topfive import --help");
    return 2;
  }
}

if (import.meta.main) Deno.exit(await importCommand(Deno.args));
