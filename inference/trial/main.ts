import { join } from "@std/path";
import { parseArgs } from "node:util";
import { sniffFormat } from "../../shared/image/sniff.ts";
import { parseSafeName } from "../../shared/manifest.ts";
import { openStore } from "../../shared/object_store/open_store.ts";
import { readConfig } from "../config.ts";
import { findManifest } from "../models/find_manifest.ts";
import { type TrialOptions, type TrialReport, tryModel } from "./trial.ts";

const HELP =
  `Starts the service in a process of its own on one published model, asks it, measures it

Usage: topfive try MODEL[@VERSION] [--store STORE] [options]

  MODEL[@VERSION]  a published model; the version that services answer with when left out
  --store STORE    a folder, or s3://bucket/prefix (default: .topfive/store)
  --images DIR     also asks about the images in this folder (not in folders below it)
  --requests N     requests whose latency is measured after the first (default 20)
  --timeout S      longest time for the start and for each answer, seconds (default 60)
  --variant NAME   this form of the weights; the one that the service chooses when left out
  --runtime NAME   this engine; the one that the service chooses when left out
  -- FLAGS         further flags of topfive serve

Prints JSON: whether the model was loaded and its self-test answered over HTTP, what answered, the
time from process start to first answer, latencies, peak and steady memory. A model without a
self-test is asked about a drawn picture.

Exit codes: 0 passed; 1 the model cannot be served or answers wrongly; 2 wrong arguments; 3 time ran
out, or the trial itself could not be made (store not reached, no such model).

Examples
  topfive try shapes --store store
  topfive try shapes@20261124-031500-5116f965 --store s3://models --images photos -- --threads 2`;

const OPTIONS = {
  store: { type: "string", default: ".topfive/store" },
  images: { type: "string" },
  variant: { type: "string" },
  runtime: { type: "string" },
  requests: { type: "string", default: "20" },
  timeout: { type: "string", default: "60" },
} as const;

const CODES = { passed: 0, failed: 1, misused: 2, undecided: 3 };

interface Given {
  readonly model: string;
  readonly version: string | undefined;
  readonly store: string;
  readonly images: string | undefined;
  readonly requests: number;
  readonly timeoutMs: number;
  readonly serveArgs: readonly string[];
}

/** @throws {SyntaxError} */
function read(args: readonly string[]): Given {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const { values, positionals: [named, ...others] } = parseArgs({
    args: args.slice(0, end),
    options: OPTIONS,
    allowPositionals: true,
  });
  if (named === undefined || others.length > 0) {
    throw new SyntaxError("Cannot try: expected one MODEL or MODEL@VERSION");
  }
  const [model, version] = named.split("@", 2);
  parseSafeName("model name", model);
  if (version !== undefined) parseSafeName("model version", version);
  const { variant, runtime } = values;
  const serveArgs = [
    ...variant === undefined ? [] : ["--variant", variant],
    ...runtime === undefined ? [] : ["--runtime", runtime],
    ...args.slice(end + 1),
  ];
  readConfig(serveArgs, () => undefined);
  return {
    model: model!,
    version,
    store: values.store,
    images: values.images,
    requests: wholeNumber("requests", values.requests, 0),
    timeoutMs: wholeNumber("timeout", values.timeout, 1) * 1000,
    serveArgs,
  };
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new SyntaxError(`Cannot try: --${name} is ${text} (expected a whole number from ${least})`);
}

async function run(given: Given): Promise<TrialReport> {
  const { store, model, version } = given;
  const manifest = await findManifest({ store: openStore(store), address: store }, model, version);
  const images = given.images === undefined ? [] : await readImages(given.images);
  return await tryModel({ ...given, manifest, images });
}

/** Files that begin like an image, by name. */
async function readImages(folder: string): Promise<TrialOptions["images"]> {
  const images = [];
  const names = (await Array.fromAsync(Deno.readDir(folder))).filter(({ isFile }) => isFile)
    .map(({ name }) => name).sort();
  for (const file of names) {
    const bytes = await Deno.readFile(join(folder, file));
    if (sniffFormat(bytes) !== null) images.push({ file, bytes });
  }
  if (images.length > 0) return images;
  throw new Error(`Cannot try: there is no image in ${folder} (name another folder with --images)`);
}

/** See HELP for the exit codes. */
export async function tryCommand(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(HELP);
    return CODES.passed;
  }
  let given: Given;
  try {
    given = read(args);
  } catch (error) {
    console.error(`topfive: ${(error as Error).message}\nTry: topfive try --help`);
    return CODES.misused;
  }
  try {
    const report = await run(given);
    console.log(JSON.stringify(report, null, 2));
    if (report.passed) return CODES.passed;
    return report.timedOut ? CODES.undecided : CODES.failed;
  } catch (error) {
    console.error(`topfive: ${error instanceof Error ? error.message : error}`);
    // A manifest that breaks a rule is the model's fault.
    return error instanceof SyntaxError ? CODES.failed : CODES.undecided;
  }
}

if (import.meta.main) Deno.exit(await tryCommand(Deno.args));
