import * as ort from "onnxruntime-web";
import { createHash } from "node:crypto";
import { preprocess } from "../../shared/image/preprocess.ts";
import type { UnpublishedManifest } from "../../shared/model_registry.ts";
import { openSession } from "../workers/session.ts";
import { areProbabilities, softmax } from "../../shared/softmax.ts";
import { topK } from "../../shared/top_k.ts";
import { SELF_TEST_TOLERANCE, SELF_TEST_TOP } from "../../shared/manifest.ts";
import { type Network, readNetwork } from "../../shared/classifier/network.ts";
import { readPreprocess } from "../../shared/classifier/preprocess_file.ts";
import { testPicture } from "./test_picture.ts";

/** What a foreign model does not say about itself. */
export interface ImportOptions {
  readonly name: string;
  /** The time and the first digits of the file's SHA-256 when left out. */
  readonly version?: string | undefined;
  readonly labels: readonly string[];
  /** A preset's name or the text of a JSON file. */
  readonly preprocess: string;
  /** The output to take where there are several. */
  readonly output?: string | undefined;
  /** An encoded image for the self-test; a drawn one when left out. */
  readonly testImage?: Uint8Array | undefined;
  /** The file's name, for the manifest's provenance. */
  readonly file: string;
  readonly codeVersion: string;
}

/**
 * Describes any ONNX image classifier with one image input, so that it can be published like a
 * trained model: reads its input and output, tells scores from probabilities by running it, and
 * notes its answer to a self-test image.
 *
 * @throws {SyntaxError} when the model or the preprocessing cannot be read.
 * @throws {RangeError} when the model cannot be served, or has not as many classes as labels.
 */
export async function describeImport(
  weights: Uint8Array,
  options: ImportOptions,
): Promise<UnpublishedManifest> {
  const network = await loadNetwork(weights, options.output);
  const { labels } = options;
  const classes = network.output.classes ?? labels.length;
  if (labels.length !== classes) {
    throw new RangeError(
      `Cannot import the model: it has ${classes} classes, and the file of labels has ` +
        `${labels.length}`,
    );
  }
  const spec = readPreprocess(options.preprocess, network.input);
  const createdAt = new Date().toISOString();
  const sha256 = createHash("sha256").update(weights).digest("hex");
  const stamp = createdAt.replace(/[-:]|\.\d+Z/g, "").replace("T", "-");
  const manifest: UnpublishedManifest = {
    name: options.name,
    version: options.version ?? `${stamp}-${sha256.slice(0, 8)}`,
    createdAt,
    input: {
      name: network.input.name,
      shape: [network.input.batch, spec.channels, spec.crop, spec.crop],
    },
    output: { name: network.output.name, classes, activation: "none" },
    preprocess: { ...spec, mean: [...spec.mean], std: [...spec.std] },
    labels: [...labels],
    provenance: {
      codeVersion: options.codeVersion,
      model: "imported",
      config: { file: options.file, sha256 },
      seed: 0,
      adapter: "none",
      dataFingerprint: "unknown",
    },
  };
  return await withAnswer(weights, manifest, options.testImage ?? testPicture());
}

async function loadNetwork(weights: Uint8Array, output: string | undefined): Promise<Network> {
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = 1;
  let session: ort.InferenceSession;
  try {
    session = await ort.InferenceSession.create(weights, { executionProviders: ["wasm"] });
  } catch (cause) {
    throw new SyntaxError(`Cannot import the model: ${(cause as Error).message}`, { cause });
  }
  try {
    return readNetwork(session, output);
  } finally {
    await session.release();
  }
}

/** Adds the activation and the self-test: what only a run shows. */
async function withAnswer(
  weights: Uint8Array,
  manifest: UnpublishedManifest,
  image: Uint8Array,
): Promise<UnpublishedManifest> {
  const session = await openSession(weights, manifest);
  try {
    const tensor = await preprocess(image, manifest.preprocess);
    const raw = await session.run(tensor, 1);
    const scores = !areProbabilities(raw, raw.length);
    const answer = scores ? softmax(raw, raw.length) : raw;
    return {
      ...manifest,
      output: { ...manifest.output, activation: scores ? "softmax" : "none" },
      selfTest: {
        image: image.toBase64(),
        top: topK(answer, SELF_TEST_TOP),
        tolerance: SELF_TEST_TOLERANCE,
      },
    };
  } finally {
    await session.close();
  }
}
