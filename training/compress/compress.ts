/** Makes, compares and measures the smaller forms of a network. */
import {
  type ModelManifest,
  SELF_TEST_TOLERANCE,
  SELF_TEST_TOP,
  type Variant,
  type WireBytes,
} from "../../shared/manifest.ts";
import type { UnpublishedModel, UnpublishedVariant } from "../../shared/model_registry.ts";
import { softmax } from "../../shared/softmax.ts";
import { topK } from "../../shared/top_k.ts";
import { readRecord } from "../dataset/record_source.ts";
import { pictureStrip } from "../evaluation/evaluation_details.ts";
import { onnxPredictorOf } from "../evaluation/onnx_predictor.ts";
import { openOnnxSession, runOnnx } from "../evaluation/onnx_session.ts";
import { scoresOf } from "../evaluation/scores.ts";
import { viewsOf } from "../evaluation/views.ts";
import { lumaToRgb } from "../../shared/image/pixels.ts";
import { preprocess as preprocessImage } from "../../shared/image/preprocess.ts";
import { agreementOf } from "./agreement.ts";
import type { HeldOut } from "./held_out.ts";
import type { Subject } from "./subject.ts";
import type { Made } from "./variants.ts";
import { wireBytesOf } from "./wire_bytes.ts";

type Metrics = NonNullable<ModelManifest["metrics"]>;
type SelfTest = NonNullable<ModelManifest["selfTest"]>;

/** One row of the comparison. */
export interface Form {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly wireBytes: WireBytes;
  readonly metrics?: Metrics;
  readonly agreement: NonNullable<Variant["agreement"]>;
  readonly selfTestTop: SelfTest["top"];
  readonly note?: string;
}

/** What every form is compared with. */
export interface Baseline {
  readonly probabilities: Float32Array;
  readonly selfTest: SelfTest;
  readonly form: Form;
}

/** Asks the network itself. */
export async function measureOriginal(subject: Subject, heldOut: HeldOut): Promise<Baseline> {
  const probabilities = await askSplit("original", subject.weights, subject, heldOut);
  const image = subject.manifest.selfTest?.image ?? pictureOf(subject, heldOut).toBase64();
  const selfTestTop = await askOne(subject.weights, image, subject);
  const agreement = agreementOf(probabilities, probabilities, subject.labels.length);
  return {
    probabilities,
    selfTest: { image, top: selfTestTop, tolerance: SELF_TEST_TOLERANCE },
    form: {
      name: "original",
      bytes: subject.weights,
      wireBytes: wireBytesOf(subject.weights),
      ...metricsOf(probabilities, subject, heldOut),
      agreement,
      selfTestTop,
    },
  };
}

/** Asks a form the same, and compares. */
export async function measureForm(
  name: string,
  { bytes, note }: Made,
  { subject, heldOut, baseline }: {
    readonly subject: Subject;
    readonly heldOut: HeldOut;
    readonly baseline: Baseline;
  },
): Promise<Form> {
  const probabilities = await askSplit(name, bytes, subject, heldOut);
  return {
    name,
    bytes,
    wireBytes: wireBytesOf(bytes),
    ...metricsOf(probabilities, subject, heldOut),
    agreement: agreementOf(baseline.probabilities, probabilities, subject.labels.length),
    selfTestTop: await askOne(bytes, baseline.selfTest.image, subject),
    ...(note === undefined ? {} : { note }),
  };
}

/**
 * Percentage points that a form loses: of first or first five answers that are right, or, where the
 * images have no labels, of first answers that stay among the first five.
 */
export function lossOf(form: Form, original: Form): number {
  if (!form.metrics || !original.metrics) return 100 * (1 - form.agreement.top5);
  const points = (["top1Error", "top5Error"] as const)
    .map((error) => 100 * (form.metrics![error] - original.metrics![error]));
  return Math.max(...points);
}

/** Manifest and weights of the network with its forms, as they are published or tried. */
export function withForms(
  { manifest, weights }: Subject,
  baseline: Baseline,
  forms: readonly Form[],
): UnpublishedModel {
  const { metrics, wireBytes } = baseline.form;
  return {
    weights,
    manifest: {
      ...manifest,
      ...(metrics ? { metrics: { ...manifest.metrics, ...metrics } } : {}),
      selfTest: manifest.selfTest ?? baseline.selfTest,
      wireBytes,
    },
    variants: forms.map(({ bytes, note: _note, ...description }): UnpublishedVariant => ({
      weights: bytes,
      description,
    })),
  };
}

async function askSplit(
  what: string,
  bytes: Uint8Array,
  { labels, preprocess, scores }: Subject,
  { split }: HeldOut,
): Promise<Float32Array> {
  const predictor = await onnxPredictorOf(what, bytes, { labels, preprocess });
  try {
    const answers = await predictor.predict(split, { views: viewsOf(1, preprocess) });
    return scores ? softmax(answers, labels.length) : answers;
  } finally {
    await predictor.close();
  }
}

function metricsOf(
  probabilities: Float32Array,
  { labels }: Subject,
  { split, splitName }: HeldOut,
): { metrics?: Metrics } {
  if (splitName === null) return {};
  const { images, top1Error, top5Error, loss } = scoresOf(
    probabilities,
    split.labels,
    labels.length,
  );
  return { metrics: { split: splitName, images, top1Error, top5Error, loss } };
}

/** The best answers to the self-test's picture, decoded as the service decodes it. */
async function askOne(
  bytes: Uint8Array,
  image: string,
  { labels, preprocess, scores, model }: Subject,
): Promise<SelfTest["top"]> {
  const tensor = await preprocessImage(Uint8Array.fromBase64(image), preprocess);
  const session = await openOnnxSession("the self-test", bytes);
  try {
    const [, ...dims] = model.inputs[0]!.shape as number[];
    const answer = (await runOnnx(session, tensor, [1, ...dims]))[model.outputs[0]!.name]!;
    const probabilities = scores ? softmax(answer, labels.length) : answer;
    return topK(probabilities.subarray(0, labels.length), SELF_TEST_TOP)
      .map(({ index, probability }) => ({ index, probability: Math.min(1, probability) }));
  } finally {
    await session.release();
  }
}

/** The first of the compared images, as a PNG that decodes to the record it was made from. */
function pictureOf({ preprocess: { side, channels } }: Subject, { split }: HeldOut): Uint8Array {
  const record = readRecord(split.source, 0);
  return pictureStrip([channels === 1 ? lumaToRgb(record) : record], side);
}
