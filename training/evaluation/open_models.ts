/** The models that an evaluation names: runs on the GPU, ONNX files, a published version. */
import { parseLabels } from "../../shared/classifier/labels.ts";
import { PRESETS } from "../../shared/classifier/preprocess_file.ts";
import { readManifest, readPointed } from "../../shared/model_registry.ts";
import { readWeights } from "../../shared/registry/weights.ts";
import { openStore } from "../../shared/object_store/open_store.ts";
import { decodeOnnx } from "../../shared/onnx/read.ts";
import { ALIASES, readLivePointer, readPointer } from "../../shared/registry/pointer.ts";
import type { CheckpointName } from "../checkpoint/checkpoint_folder.ts";
import { type Gpu, openGpu } from "../gpu/device.ts";
import { type LoadedRun, loadRun } from "../load_run.ts";
import { enginePredictor } from "./engine_predictor.ts";
import { onnxPredictor, onnxPredictorOf } from "./onnx_predictor.ts";
import type { Predictor } from "./predictor.ts";

export interface NamedModels {
  /** Run folders and ONNX files. */
  readonly models: readonly string[];
  readonly checkpoint: CheckpointName;
  /** Of ONNX files that do not say it: a file of labels, and a preset or a file. */
  readonly foreign: { readonly labels: string; readonly preprocess: string } | undefined;
  /** NAME, NAME@ALIAS or NAME@VERSION in a store. */
  readonly published: { readonly store: string; readonly name: string } | undefined;
}

export interface OpenModel {
  readonly predictor: Predictor;
  /** Null for an ONNX file. */
  readonly run: LoadedRun | null;
}

/** Opens models one after the other; the GPU is opened for the first run and closed with this. */
export class ModelOpener implements Disposable {
  readonly #named: NamedModels;
  #gpu: Gpu | null = null;

  constructor(named: NamedModels) {
    this.#named = named;
  }

  /** Names and how to open each. */
  *all(): Generator<{ name: string; open: () => Promise<OpenModel> }> {
    const { models, published } = this.#named;
    for (const name of models) {
      yield { name, open: () => isOnnx(name) ? this.#openFile(name) : this.#openRun(name) };
    }
    if (published) yield { name: published.name, open: () => openPublished(published) };
  }

  async #openRun(folder: string): Promise<OpenModel> {
    this.#gpu ??= await openGpu();
    const run = await loadRun(folder, this.#named.checkpoint);
    return { predictor: await enginePredictor(this.#gpu, run), run };
  }

  async #openFile(path: string): Promise<OpenModel> {
    const { foreign } = this.#named;
    if (!foreign || await saysItself(path)) {
      return { predictor: await onnxPredictor(path), run: null };
    }
    const { preprocess } = foreign;
    const labels = parseLabels(await Deno.readTextFile(foreign.labels));
    const spec = Object.hasOwn(PRESETS, preprocess)
      ? preprocess
      : await Deno.readTextFile(preprocess);
    return { predictor: await onnxPredictor(path, { labels, preprocess: spec }), run: null };
  }

  [Symbol.dispose](): void {
    this.#gpu?.close();
  }
}

export function isOnnx(model: string): boolean {
  return model.endsWith(".onnx");
}

/** Files that topfive wrote need nothing said of them, beside foreign ones that do. */
async function saysItself(path: string): Promise<boolean> {
  try {
    return Object.hasOwn(decodeOnnx(await Deno.readFile(path)).metadata, "preprocess");
  } catch {
    return false;
  }
}

async function openPublished(
  { store: address, name: text }: NonNullable<NamedModels["published"]>,
): Promise<OpenModel> {
  const store = openStore(address);
  const [name = "", wanted] = text.split("@");
  const alias = ALIASES.find((known) => known === wanted);
  const isVersion = wanted !== undefined && alias === undefined;
  const pointer = alias
    ? await readPointer(store, name, alias)
    : isVersion
    ? null
    : await readLivePointer(store, name);
  const manifest = isVersion
    ? await readManifest(store, name, wanted)
    : pointer && await readPointed(store, name, pointer);
  if (manifest === null) {
    throw new Error(
      `Cannot evaluate: ${text} is not published in ${address} (topfive models list)`,
    );
  }
  const weights = await readWeights(store, manifest);
  return {
    predictor: await onnxPredictorOf(`${name} ${manifest.version}`, weights, manifest),
    run: null,
  };
}
