import { parseSafeName } from "../../shared/manifest.ts";
import type { Pruning } from "../compress/prune.ts";
import { VARIANT_NAMES, type VariantName } from "../compress/variants.ts";
import { readArguments } from "./arguments.ts";

export const COMPRESS_HELP =
  `Makes smaller forms of a trained network, compares them with it, and publishes them

Usage: topfive compress MODEL --for edge [--data DIR | --images DIR] [options]

  MODEL            a run folder, an ONNX file that topfive export wrote, or NAME[@VERSION] of --store
  --for edge       all forms that a small machine may want:
                     float16       weights of half the bytes; answers all but equal
                     int8-weights  weights of a quarter of the bytes, a scale for each output
                     int8          weights and what they are multiplied with: small and fast
                     int4          int8 with the weights of large fully connected layers in 4 bits,
                                   half of int8's bytes and memory where these are most of the
                                   network; fast on the lean engine alone
  --forms NAMES    only these, separated by commas
  --prune S        of a run, not with --images: also the forms pruned, pruned-int8 and pruned-int4.
                   The share S of the weights of each convolution and fully connected layer goes to
                   zero, the smallest first; the first layer stays whole. The rest is retrained on
                   the training images at a tenth of the run's rate. Zeros save bytes on the wire,
                   not in memory
  --prune-epochs N epochs of that retraining (default 2)
  --data DIR       labelled data as topfive train reads it: calibrates on training images, compares
                   on those of the test (default: what the run was trained on)
  --images DIR     images without labels, also in folders of it: one half calibrates, the other
                   compares first answers
  --calibration N  images of the calibration at most (default 128)
  --max-loss P     a form that loses more percentage points of top-1 or top-5, or without labels of
                   first answers kept among five, is refused (default 2)
  --no-cost        do not measure memory and time in the service
  --store STORE    publish the network with its forms: a folder or s3://bucket/prefix
  --name NAME      published under this name (default: the published one's, or the network's)
  --version V      and this version
  --out DIR        write FORM.onnx files into this folder
  --json           print JSON

A published version never changes: compressing NAME publishes a version of its own, with the same
weights stored once. Services take the most faithful form that fits their memory.

Exit code: 0; 1 when a form was refused or could not be made; 2 for wrong arguments.

Examples
  topfive compress runs/first --for edge
  topfive compress runs/first --for edge --data images --store store --name shapes
  topfive compress runs/first --for edge --data images --prune 0.6 --out small
  topfive compress squeezenet --store store --for edge --images photos
  topfive compress first.onnx --for edge --data images --out small`;

export interface CompressGiven {
  readonly named: string;
  /** Undefined: all that there can be of the model. */
  readonly forms: readonly VariantName[] | undefined;
  readonly pruning: Pruning | null;
  readonly data: string | undefined;
  readonly images: string | undefined;
  readonly calibration: number;
  readonly maxLoss: number;
  readonly cost: boolean;
  readonly store: string | undefined;
  readonly name: string | undefined;
  readonly version: string | undefined;
  readonly out: string | undefined;
  readonly json: boolean;
}

/** @throws {SyntaxError} for arguments that are wrong or do not go together. */
export function readCompressArguments(args: readonly string[]): CompressGiven {
  const { options, positionals: [named, ...others] } = readArguments("compress", args, {
    for: "value",
    forms: "value",
    prune: "value",
    "prune-epochs": "value",
    data: "value",
    images: "value",
    calibration: "value",
    "max-loss": "value",
    cost: "on-off",
    store: "value",
    name: "value",
    version: "value",
    out: "value",
    json: "switch",
  });
  const { data, images, store, name, version, out, cost = true, json = false } = options;
  const refuse = (reason: string) => new SyntaxError(`Cannot compress: ${reason}`);
  if (named === undefined || others.length > 0) throw refuse("expected one MODEL");
  if (options.for !== "edge") throw refuse("expected --for edge");
  if (data !== undefined && images !== undefined) {
    throw refuse("expected --data DIR or --images DIR, not both");
  }
  const forms = options.forms?.split(",").map((text) => {
    const form = VARIANT_NAMES.find((known) => known === text);
    if (form === undefined) throw refuse(`no form ${text} (expected ${VARIANT_NAMES.join(", ")})`);
    return form;
  });
  const pruning = readPruning(options.prune, options["prune-epochs"], refuse);
  if (pruning && images !== undefined) {
    throw refuse("--prune retrains on labelled images (expected --data DIR)");
  }
  const calibration = Number(options.calibration ?? 128);
  if (!(Number.isInteger(calibration) && calibration > 0)) {
    throw refuse(`--calibration is ${options.calibration} (expected a whole number, at least 1)`);
  }
  const maxLoss = Number(options["max-loss"] ?? 2);
  if (!(maxLoss >= 0)) throw refuse(`--max-loss is ${options["max-loss"]} (expected 0 or more)`);
  if (name !== undefined) parseSafeName("model name", name);
  if (version !== undefined) parseSafeName("model version", version);
  return {
    named,
    forms: forms && VARIANT_NAMES.filter((form) => forms.includes(form)),
    pruning,
    data,
    images,
    calibration,
    maxLoss,
    cost,
    store,
    name,
    version,
    out,
    json,
  };
}

function readPruning(
  prune: string | undefined,
  pruneEpochs: string | undefined,
  refuse: (reason: string) => Error,
): Pruning | null {
  if (prune === undefined) {
    if (pruneEpochs !== undefined) throw refuse("--prune-epochs is given without --prune S");
    return null;
  }
  const [share, epochs] = [Number(prune), Number(pruneEpochs ?? 2)];
  if (!(share > 0 && share < 1)) {
    throw refuse(`--prune is ${prune} (expected a number between 0 and 1, such as 0.8)`);
  }
  if (!(Number.isInteger(epochs) && epochs >= 0)) {
    throw refuse(`--prune-epochs is ${pruneEpochs} (expected a whole number, at least 0)`);
  }
  return { share, epochs };
}
