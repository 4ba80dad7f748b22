import { join } from "node:path";
import { type Cost, parseSafeName } from "../../shared/manifest.ts";
import { publishModel, type UnpublishedModel } from "../../shared/model_registry.ts";
import { openStore } from "../../shared/object_store/open_store.ts";
import {
  type Form,
  lossOf,
  measureForm,
  measureOriginal,
  withForms,
} from "../compress/compress.ts";
import { type HeldOut, labelledImages, unlabelledImages } from "../compress/held_out.ts";
import { measureCosts } from "../compress/measure_cost.ts";
import { pruneRun, type Pruning } from "../compress/prune.ts";
import { openSubject, type Subject } from "../compress/subject.ts";
import { formatForms } from "../compress/table.ts";
import {
  makePruned,
  makeVariants,
  VARIANT_NAMES,
  type VariantName,
  variantsOf,
} from "../compress/variants.ts";
import type { Dataset } from "../dataset/dataset.ts";
import { formatProgress, ProgressLine } from "../progress.ts";
import { currentUser } from "../registry/who.ts";
import { writeAtomically } from "../write_atomically.ts";
import { readArguments } from "./arguments.ts";
import { runCommand } from "./command.ts";
import { openRecords } from "./open_for_model.ts";

const HELP = `Makes smaller forms of a trained network, compares them with it, and publishes them

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

interface Given {
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

export function compressCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "compress", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
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

async function run(given: Given): Promise<number> {
  const { named, store: address } = given;
  const store = address === undefined ? null : openStore(address);
  const subject = await openSubject(named, store, given);
  if (store !== null && !subject.mayPublish) {
    throw new Error(`Cannot publish ${named}: an ONNX file does not say how it was trained`);
  }
  if (given.pruning && subject.run === null) {
    throw new Error(
      `Cannot prune ${named}: only a run's folder can be retrained (name one, or leave out --prune)`,
    );
  }
  const data = given.images === undefined ? dataOf(given, subject) : null;
  const dataset = data === null ? null : await openRecords(data, subject.preprocess);
  const heldOut = await openHeldOut(given, subject, dataset);
  const { baseline, forms } = await makeForms(given, subject, heldOut, dataset);
  const refused = new Map(
    forms.map((form) => [form.name, lossOf(form, baseline.form)] as const)
      .filter(([, points]) => points > given.maxLoss),
  );
  const kept = forms.filter(({ name }) => !refused.has(name));
  const unpublished = withForms(subject, baseline, kept);
  const costs = given.cost ? await costsOf(unpublished, kept) : new Map<string, Cost>();
  if (given.out !== undefined) await writeForms(given.out, kept);
  const table = [baseline.form, ...forms];
  if (given.json) {
    const rows = table.map(({ bytes, ...form }) => ({
      ...form,
      fileBytes: bytes.byteLength,
      cost: costs.get(form.name),
      refused: refused.has(form.name),
    }));
    console.log(JSON.stringify(rows, null, 2));
  } else {
    console.log(formatForms(table, costs, refused));
  }
  if (store !== null) {
    const { manifest } = unpublished;
    const variants = unpublished.variants!.map(({ weights, description }) => ({
      weights,
      description: { ...description, cost: costs.get(description.name) },
    }));
    const { name, version } = await publishModel(
      store,
      { ...unpublished, manifest: { ...manifest, cost: costs.get("original") }, variants },
      { by: currentUser(), reason: `compressed from ${named}` },
    );
    console.error(`published ${name} ${version} with ${kept.map((form) => form.name).join(", ")}`);
  }
  if (store === null && given.out === undefined) {
    console.error("nothing was kept (--out DIR writes the files, --store STORE publishes them)");
  }
  return refused.size > 0 ? 1 : 0;
}

/** @throws {Error} where nothing says which images to use. */
function dataOf({ named, data }: Given, { run }: Subject): string {
  const known = data ?? run?.run.data.source;
  if (known !== undefined) return known;
  throw new Error(
    `Cannot compress ${named}: it does not say what it was trained on (expected --data DIR, or ` +
      "--images DIR for images without labels)",
  );
}

async function openHeldOut(
  { images, calibration: count }: Given,
  { preprocess, labels }: Subject,
  dataset: Dataset | null,
): Promise<HeldOut> {
  if (dataset === null) return await unlabelledImages(images!, { preprocess, count });
  return labelledImages(dataset, { preprocess, labels, count });
}

async function makeForms(
  { forms: names, pruning }: Given,
  subject: Subject,
  heldOut: HeldOut,
  dataset: Dataset | null,
) {
  const line = new ProgressLine();
  try {
    line.update("original: asked");
    const baseline = await measureOriginal(subject, heldOut);
    const forms: Form[] = [];
    const variants = makeVariants(
      names ?? variantsOf(subject.model),
      { ...subject, ...heldOut },
      (name) => line.update(`${name}: made, asked and compared`),
    );
    for await (const [name, made] of variants) {
      forms.push(await measureForm(name, made, { subject, heldOut, baseline }));
    }
    if (pruning && subject.run && dataset) {
      line.update("pruned: retrained");
      const pruned = await pruneRun(
        subject.run,
        dataset,
        pruning,
        (progress) => line.update(`pruned: ${formatProgress(progress)}`),
      );
      const made = await makePruned(pruned, pruning, { ...subject, ...heldOut });
      for (const [name, form] of made) {
        line.update(`${name}: asked and compared`);
        forms.push(await measureForm(name, form, { subject, heldOut, baseline }));
      }
    }
    return { baseline, forms };
  } finally {
    line.end();
  }
}

async function costsOf(model: UnpublishedModel, forms: readonly Form[]) {
  const line = new ProgressLine();
  try {
    const names = ["original", ...forms.map(({ name }) => name)];
    return await measureCosts(model, names, (name) => line.update(`${name}: measured in service`));
  } finally {
    line.end();
  }
}

async function writeForms(folder: string, forms: readonly Form[]): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for (const { name, bytes } of forms) {
    await writeAtomically(join(folder, `${name}.onnx`), [bytes]);
  }
}
