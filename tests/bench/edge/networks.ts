/** The networks of bench:edge with all their forms, published into a folder that later runs find again. */
import { join } from "@std/path";
import { parseLabels } from "../../../shared/classifier/labels.ts";
import { readPreprocess } from "../../../shared/classifier/preprocess_file.ts";
import type { ModelManifest } from "../../../shared/manifest.ts";
import { registerModel, type UnpublishedManifest } from "../../../shared/model_registry.ts";
import { DirectoryStore } from "../../../shared/object_store/directory.ts";
import { decodeOnnx } from "../../../shared/onnx/read.ts";
import { measureForm, measureOriginal, withForms } from "../../../training/compress/compress.ts";
import { type HeldOut, unlabelledImages } from "../../../training/compress/held_out.ts";
import type { Subject } from "../../../training/compress/subject.ts";
import { makeVariants, variantsOf } from "../../../training/compress/variants.ts";
import { layOutParameters } from "../../../training/graph/parameters.ts";
import { MODELS } from "../../../training/models/models.ts";
import { exportOnnx, INPUT_NAME, OUTPUT_NAME } from "../../../training/onnx/export.ts";
import { encodeOnnx } from "../../../training/onnx/write.ts";
import { Random } from "../../../training/random.ts";
import { NotHere } from "../peer.ts";
import { TRAINED_NAMES, type TrainedName, trainedNetwork } from "./trained_networks.ts";

export const NETWORK_NAMES = ["alexnet", "squeezenet"] as const;
export type NetworkName = typeof NETWORK_NAMES[number] | TrainedName;

const DATA = new URL("../../../../shared/data/", import.meta.url);
const STORE = new URL("../../../.topfive/bench-edge/", import.meta.url).pathname;
/** A new one where the forms change, so that older folders are not taken for them. */
const VERSION = "bench-2";

export interface Published {
  readonly store: string;
  readonly manifest: ModelManifest;
}

/**
 * A network of the bench: found, or made and compressed.
 *
 * @throws {NotHere} where its weights or images are not on this machine.
 */
export async function publishedNetwork(name: NetworkName): Promise<Published> {
  const folder = join(STORE, name);
  const store = new DirectoryStore(folder);
  const found = await store.get(`models/${name}/versions/${VERSION}/manifest.json`);
  if (found) return { store: folder, manifest: JSON.parse(new TextDecoder().decode(found.bytes)) };
  const trained = TRAINED_NAMES.find((known) => known === name);
  const { subject, heldOut } = trained
    ? await trainedNetwork(trained, { folder, data: DATA, version: VERSION })
    : await onPhotographs(name === "alexnet" ? alexnet() : await squeezenet());
  const baseline = await measureOriginal(subject, heldOut);
  const forms = [];
  const variants = makeVariants(variantsOf(subject.model), { ...subject, ...heldOut });
  for await (const [variant, made] of variants) {
    forms.push(await measureForm(variant, made, { subject, heldOut, baseline }));
  }
  const manifest = await registerModel(store, withForms(subject, baseline, forms));
  return { store: folder, manifest };
}

/** Calibrated and compared on photographs: TOPFIVE_PHOTOS, else the samples beside the repository. */
async function onPhotographs(subject: Subject): Promise<{ subject: Subject; heldOut: HeldOut }> {
  const photographs = Deno.env.get("TOPFIVE_PHOTOS") ?? new URL("imagenet-samples", DATA).pathname;
  const heldOut = await unlabelledImages(photographs, { ...subject, count: 20 }).catch((error) => {
    throw new NotHere(`no photographs to calibrate on: ${error.message}`);
  });
  return { subject, heldOut };
}

/** Full size; its trained weights cannot be had, so they are drawn as He et al. 2015 do. */
function alexnet(): Subject {
  const graph = MODELS.alexnet.build(1000);
  const random = new Random(1);
  const values = layOutParameters(graph).slots.map(({ name, spec: { shape } }) => {
    const length = shape.reduce((product, size) => product * size, 1);
    if (shape.length === 1) return [name, new Float32Array(length).fill(0.01)] as const;
    const deviation = Math.sqrt(2 * shape[0]! / length);
    return [name, Float32Array.from({ length }, () => deviation * random.normal())] as const;
  });
  const weights = encodeOnnx(
    exportOnnx(graph, new Map(values), { version: "bench", metadata: {} }),
  );
  const labels = Array.from({ length: 1000 }, (_, i) => `class ${i}`);
  const preprocess = readPreprocess("caffe", { channels: 3, side: 224 });
  const io = { input: INPUT_NAME, output: OUTPUT_NAME, side: 224 };
  return subjectOf("alexnet", weights, { labels, preprocess, ...io });
}

/** ImageNet's weights. */
async function squeezenet(): Promise<Subject> {
  const file = new URL("models/squeezenet10-deepcompression/squeezenet1.0-dc.onnx", DATA);
  const labelsFile = new URL("labels/onnx-models-synset.txt", DATA);
  const [weights, text] = await Promise.all([Deno.readFile(file), Deno.readTextFile(labelsFile)])
    .catch(() => {
      throw new NotHere(`SqueezeNet's weights are not in ${file.pathname}`);
    });
  const preprocess = readPreprocess("caffe", { channels: 3, side: 227 });
  const io = { input: "data", output: "prob", side: 227 };
  return subjectOf("squeezenet", weights, { labels: parseLabels(text), preprocess, ...io });
}

function subjectOf(
  name: string,
  weights: Uint8Array,
  { labels, preprocess, input, output, side }:
    & Pick<Subject, "labels" | "preprocess">
    & { readonly input: string; readonly output: string; readonly side: number },
): Subject {
  const manifest: UnpublishedManifest = {
    name,
    version: VERSION,
    createdAt: new Date().toISOString(),
    input: { name: input, shape: [-1, 3, side, side] },
    output: { name: output, classes: labels.length },
    preprocess: { ...preprocess, mean: [...preprocess.mean], std: [...preprocess.std] },
    labels: [...labels],
    provenance: {
      codeVersion: "bench",
      model: name,
      config: {},
      seed: 1,
      adapter: "none",
      dataFingerprint: "none",
    },
  };
  return {
    model: decodeOnnx(weights),
    weights,
    labels,
    preprocess,
    scores: false,
    run: null,
    manifest,
    mayPublish: true,
  };
}
