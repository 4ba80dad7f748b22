import { z } from "zod";
import { parse, SELF_TEST_TOP } from "../../../shared/manifest.ts";
import { readPointed } from "../../../shared/model_registry.ts";
import type { ObjectStore } from "../../../shared/object_store/object_store.ts";
import { readPointer } from "../../../shared/registry/pointer.ts";
import { topK } from "../../../shared/top_k.ts";
import { percent } from "../../../shared/percent.ts";
import { type ClassMetrics, classMetrics } from "../../evaluation/class_metrics.ts";
import { enginePredictor } from "../../evaluation/engine_predictor.ts";
import { rankOf, type Scores, scoresOf } from "../../evaluation/scores.ts";
import { viewsOf } from "../../evaluation/views.ts";
import { openGpu } from "../../gpu/device.ts";
import { askModel } from "../ask_model.ts";
import { resultKey } from "../keys.ts";
import type { Stage, StageContext } from "../stage.ts";
import { openPrepared } from "./prepare.ts";
import { loadTrained } from "./train.ts";

export interface EvaluateOutput {
  /** Null where nothing was promoted yet. */
  readonly champion: Champion & { readonly classes: readonly string[] } | null;
  readonly classes: readonly string[];
  /** Of the candidate, on the test images. */
  readonly scores: Pick<
    Scores,
    | "images"
    | "loss"
    | "top1Error"
    | "top1Interval"
    | "top5Error"
    | "top5Interval"
    | "calibrationError"
  >;
  /** Of the candidate, for its manifest. */
  readonly byClass: ClassMetrics;
  /** Key of what both answered about each image. */
  readonly answers: string;
  /** A test image that the candidate knows, for the manifest, and its answer. */
  readonly selfTest: SelfTest;
}

/** What services answered with when the candidate was measured. */
interface Champion {
  readonly version: string;
  /** Moves of the alias until then. */
  readonly move: number;
}

interface SelfTest {
  readonly key: string;
  readonly sha256: string;
  readonly top: readonly { readonly index: number; readonly probability: number }[];
}

const AnswersSchema = z.strictObject({
  images: z.array(z.strictObject({ image: z.string(), label: z.string() })),
  /** Place of the label among each model's answers, 0 the first; null where it does not know it. */
  candidate: z.array(z.int().nonnegative().nullable()),
  champion: z.array(z.int().nonnegative().nullable()).nullable(),
});
export type Answers = z.infer<typeof AnswersSchema>;

/** A larger one has no place in a manifest. */
const SELF_TEST_BYTES = 200_000;

/** Asks the candidate and the champion about the same test images. */
export const evaluate: Stage<"evaluate"> = {
  name: "evaluate",
  inputs: async (context) => ({
    trained: context.result("train"),
    data: context.result("prepare").fingerprint,
    champion: await championOf(context),
  }),
  async run(context) {
    const { store, model, run } = context;
    const { dataset, used } = await openPrepared(context);
    const test = used.filter(({ split }) => split === "test");
    const split = dataset.test;
    if (split?.count !== test.length || test.length === 0) {
      throw new Error(
        `Cannot evaluate: ${split?.count ?? 0} records of ${test.length} test images (a fault of ` +
          "the pipeline; please report it)",
      );
    }
    const trained = await askCandidate(context, dataset.test!);
    const { classes } = dataset;
    const scores = scoresOf(trained, split.labels, classes.length);
    const champion = await championOf(context);
    const manifest = champion &&
      await readPointed(store, model, (await readPointer(store, model, "champion"))!);
    const old = manifest && await askModel(store, manifest, {
      paths: test.map(({ sha256 }) => context.images.pathOf(sha256)),
      prepared: { dataset, split },
      maxPixels: context.settings.images.maxPixels,
      onProgress: (images) =>
        context.line.update(`evaluate: champion, ${images} of ${test.length} images`),
    });
    const labels = test.map(({ label }) => label);
    const answers: Answers = {
      images: test.map(({ sha256, label }) => ({ image: sha256, label })),
      candidate: ranksOf(trained, classes, labels),
      champion: old && ranksOf(old, manifest.labels, labels),
    };
    const key = resultKey(model, run.record.run, "answers.json");
    await store.put(key, new TextEncoder().encode(JSON.stringify(answers) + "\n"));
    const { images, loss, top1Error, top1Interval, top5Error, top5Interval, calibrationError } =
      scores;
    return {
      champion: champion && { ...champion, classes: manifest!.labels },
      classes,
      scores: {
        ...{ images, loss, top1Error, top1Interval, top5Error, top5Interval, calibrationError },
      },
      byClass: classMetrics(scores, classes),
      answers: key,
      selfTest: await chooseSelfTest(context, test, answers, trained),
    };
  },
  describe: ({ scores: { top1Error, top5Error, images }, champion }) => {
    return `top-1 error ${percent(top1Error)}, top-5 error ${percent(top5Error)} on ${images} ` +
      `test images, ${champion ? `beside ${champion.version}` : "with no champion yet"}`;
  },
};

/** @throws {SyntaxError} when they are damaged. */
export async function readAnswers(store: ObjectStore, key: string): Promise<Answers> {
  const object = await store.get(key);
  if (object === null) throw new Error(`Cannot read ${key}: it is missing from the store`);
  return parse("answers", AnswersSchema, new TextDecoder().decode(object.bytes));
}

/**
 * The champion by now; where this run's own version is it already, whom it followed: a run that was
 * killed behind its promotion goes on as if it had not been.
 */
async function championOf({ store, model, run }: StageContext): Promise<Champion | null> {
  const pointer = await readPointer(store, model, "champion");
  if (pointer === null) return null;
  const { version, move, from } = pointer;
  if (version !== run.record.run) return { version, move };
  return from === null ? null : { version: from, move: move - 1 };
}

async function askCandidate(
  context: StageContext,
  split: NonNullable<Awaited<ReturnType<typeof openPrepared>>["dataset"]["test"]>,
): Promise<Float32Array> {
  const gpu = await openGpu();
  try {
    const predictor = await enginePredictor(gpu, await loadTrained(context));
    const answers = await predictor.predict(split, {
      views: viewsOf(1, predictor.preprocess),
      onProgress: (images) =>
        context.line.update(`evaluate: candidate, ${images} of ${split.count} images`),
    });
    await predictor.close();
    return answers;
  } finally {
    gpu.close();
  }
}

function ranksOf(
  probabilities: Float32Array,
  classes: readonly string[],
  labels: readonly string[],
): (number | null)[] {
  return labels.map((label, image) => {
    const own = classes.indexOf(label);
    if (own < 0) return null;
    const row = probabilities.subarray(image * classes.length, (image + 1) * classes.length);
    return rankOf(row, own);
  });
}

/** The first image that the candidate is right about and that is small enough; else the first. */
async function chooseSelfTest(
  { images }: StageContext,
  test: readonly { readonly key: string; readonly sha256: string }[],
  { candidate }: Answers,
  probabilities: Float32Array,
): Promise<SelfTest> {
  let chosen: number | null = null;
  for (const [i, { sha256 }] of test.entries()) {
    const { size } = await Deno.stat(images.pathOf(sha256));
    if (size > SELF_TEST_BYTES) continue;
    chosen ??= i;
    if (candidate[i] !== 0) continue;
    chosen = i;
    break;
  }
  if (chosen === null) {
    throw new Error(
      `Cannot choose a self-test: every test image has more than ${SELF_TEST_BYTES} bytes ` +
        "(add a smaller one)",
    );
  }
  const { key, sha256 } = test[chosen]!;
  const classes = probabilities.length / test.length;
  const row = probabilities.slice(chosen * classes, (chosen + 1) * classes);
  return { key, sha256, top: topK(row, SELF_TEST_TOP) };
}
