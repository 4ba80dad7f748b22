import { join } from "node:path";
import type { Cost } from "../../shared/manifest.ts";
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
import { pruneRun } from "../compress/prune.ts";
import { openSubject, type Subject } from "../compress/subject.ts";
import { formatForms } from "../compress/table.ts";
import { makePruned, makeVariants, variantsOf } from "../compress/variants.ts";
import type { Dataset } from "../dataset/dataset.ts";
import { formatProgress, ProgressLine } from "../progress.ts";
import { currentUser } from "../registry/who.ts";
import { writeAtomically } from "../write_atomically.ts";
import { runCommand } from "./command.ts";
import { COMPRESS_HELP, type CompressGiven, readCompressArguments } from "./compress_options.ts";
import { openRecords } from "./open_for_model.ts";

export function compressCommand(args: readonly string[]): Promise<number> {
  return runCommand({
    name: "compress",
    help: () => COMPRESS_HELP,
    read: readCompressArguments,
    run,
  }, args);
}

async function run(given: CompressGiven): Promise<number> {
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
function dataOf({ named, data }: CompressGiven, { run }: Subject): string {
  const known = data ?? run?.run.data.source;
  if (known !== undefined) return known;
  throw new Error(
    `Cannot compress ${named}: it does not say what it was trained on (expected --data DIR, or ` +
      "--images DIR for images without labels)",
  );
}

async function openHeldOut(
  { images, calibration: count }: CompressGiven,
  { preprocess, labels }: Subject,
  dataset: Dataset | null,
): Promise<HeldOut> {
  if (dataset === null) return await unlabelledImages(images!, { preprocess, count });
  return labelledImages(dataset, { preprocess, labels, count });
}

async function makeForms(
  { forms: names, pruning }: CompressGiven,
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
