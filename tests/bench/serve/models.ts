/** A store with the models that bench:serve asks, published as users publish theirs. */
import { assert } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { initialValues, layOutParameters } from "../../../training/graph/parameters.ts";
import { MODELS } from "../../../training/models/models.ts";
import { exportOnnx } from "../../../training/onnx/export.ts";
import { encodeOnnxChunks } from "../../../training/onnx/write.ts";
import { NotHere } from "../peer.ts";
import { ROOT } from "../deno_program.ts";

export interface BenchModel {
  readonly name: string;
  /** Folder of the store. */
  readonly store: string;
  /** Path of the ONNX file. */
  readonly weights: string;
  /** Path of the manifest. */
  readonly manifest: string;
}

const DATA = fromFileUrl(new URL("../../../../shared/data/", import.meta.url));
const SQUEEZENET = join(DATA, "models/squeezenet10-deepcompression/squeezenet1.0-dc.onnx");
const SYNSET = join(DATA, "labels/onnx-models-synset.txt");

/** What can be asked for: a real network, the published AlexNet, and one that costs next to nothing. */
export const MODEL_NAMES = ["squeezenet", "alexnet", "alexnet-small"] as const;
export type ModelName = typeof MODEL_NAMES[number];

/**
 * Imports a model into a store under `folder`: SqueezeNet from TOPFIVE_SQUEEZENET (default: the file
 * of the shared data), the others with weights drawn at random, which cost what trained ones do.
 *
 * @throws {NotHere} where SqueezeNet's file is missing.
 */
export async function publishForBench(name: ModelName, folder: string): Promise<BenchModel> {
  const store = join(folder, "store");
  const weights = join(folder, `${name}.onnx`);
  const labels = join(folder, `${name}.txt`);
  if (name === "squeezenet") {
    const source = Deno.env.get("TOPFIVE_SQUEEZENET") ?? SQUEEZENET;
    await Deno.copyFile(source, weights).catch(() => {
      throw new NotHere(`no file ${source} (name one by TOPFIVE_SQUEEZENET)`);
    });
    await Deno.copyFile(SYNSET, labels);
  } else {
    const { build, classes = 10 } = MODELS[name];
    const graph = build(classes);
    const values = initialValues(layOutParameters(graph), 1);
    const model = exportOnnx(graph, values, { version: "0.0.0", metadata: {} });
    const chunks = encodeOnnxChunks(model) as Uint8Array<ArrayBuffer>[];
    await Deno.writeFile(weights, ReadableStream.from(chunks));
    await Deno.writeTextFile(
      labels,
      Array.from({ length: classes }, (_, i) => `class ${i}`).join("\n"),
    );
  }
  const preprocess = name === "squeezenet" ? "caffe" : "torchvision";
  const { success, stdout, stderr } = await new Deno.Command(join(ROOT, "topfive"), {
    args: [
      ...["import", weights, "--labels", labels, "--preprocess", preprocess],
      ...["--store", store, "--name", name, "--json"],
    ],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  const manifest = join(folder, `${name}.json`);
  await Deno.writeFile(manifest, stdout);
  return { name, store, weights, manifest };
}
