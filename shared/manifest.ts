import { z } from "zod";
import type { PreprocessSpec } from "./image/preprocess.ts";

/** Layout of a manifest; a reader refuses a number it does not know. */
export const MANIFEST_SCHEMA_VERSION = 1;

/** Names the manifest's own weights where a variant is asked for. */
export const ORIGINAL = "original";

/** A name that is one safe path segment on every store: no separator, no leading dot. */
export const SafeName = z.string().regex(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
  "expected 1 to 128 letters, digits, '.', '_' or '-', beginning with a letter or digit",
);

export const Sha256 = z.string().regex(
  /^[0-9a-f]{64}$/,
  "expected 64 lower-case hexadecimal digits",
);
const PositiveInteger = z.int().positive();
const Fraction = z.number().min(0).max(1);
const Interval = z.tuple([Fraction, Fraction]);

const Preprocess = z.strictObject({
  side: PositiveInteger,
  resize: z.enum(["crop", "squash"]).optional(),
  crop: PositiveInteger,
  channels: z.union([z.literal(1), z.literal(3)]),
  order: z.enum(["rgb", "bgr"]).optional(),
  mean: z.array(z.number()),
  std: z.array(z.number().positive()),
}).superRefine((spec, context) => {
  if (spec.crop > spec.side) {
    context.addIssue({
      code: "custom",
      path: ["crop"],
      message: `${spec.crop} is larger than side ${spec.side}`,
    });
  }
  for (const name of ["mean", "std"] as const) {
    if (spec[name].length === spec.channels) continue;
    context.addIssue({
      code: "custom",
      path: [name],
      message: `${spec[name].length} numbers for ${spec.channels} channels`,
    });
  }
}) satisfies z.ZodType<PreprocessSpec>;

const Weights = z.strictObject({
  sha256: Sha256,
  byteLength: PositiveInteger,
  /** Key of the ONNX file in the object store. */
  key: z.string().min(1),
});

const Metrics = z.looseObject({
  /** Name of the split that was measured, such as "test". */
  split: z.string().min(1),
  images: PositiveInteger,
  /** Fraction of images whose label is not the first answer. */
  top1Error: Fraction,
  /** Fraction of images whose label is not among the first five answers. */
  top5Error: Fraction,
  /** Mean cross-entropy in nats. */
  loss: z.number().nonnegative(),
  /** 95 % intervals of the two. */
  top1Interval: Interval.optional(),
  top5Interval: Interval.optional(),
  /** In the order of the labels; null where the split had no image of the class. */
  classes: z.array(
    z.strictObject({
      images: z.int().nonnegative(),
      top1Error: Fraction,
      interval: Interval,
    }).nullable(),
  ).optional(),
  /** What it takes for what, the most frequent first. */
  confusions: z.array(z.strictObject({
    label: z.string().min(1),
    answer: z.string().min(1),
    images: PositiveInteger,
  })).max(20).optional(),
});

/** The best classes, best first. */
const TopClasses = z.array(z.strictObject({ index: z.int().nonnegative(), probability: Fraction }))
  .min(1);

/** Classes of a self-test's answer. */
export const SELF_TEST_TOP = 5;

/** Another processor's or engine's sums differ by less, another picture's answer by more. */
export const SELF_TEST_TOLERANCE = 0.02;

/**
 * An image and the answer that the publisher got for it. A service asks it of every model that it
 * loads, before any client can.
 */
const SelfTest = z.strictObject({
  /** An encoded image, in base64. */
  image: z.base64().max(300_000),
  top: TopClasses,
  /** Largest difference of a probability that is still the same answer. */
  tolerance: z.number().positive().max(1),
});

/** What it took to answer with some weights, in a fresh process, on the publisher's machine. */
const Cost = z.strictObject({
  /** The engine that ran, as an answer names it. */
  runtime: z.string().min(1),
  /** Of the whole service with this model alone, bytes. */
  peakMemory: PositiveInteger,
  /** Start of the process to the end of the first answer. */
  firstAnswerMs: z.number().positive(),
  /** Median of one run of one image. */
  inferenceMs: z.number().positive(),
});

/** Bytes that travel where the weights are compressed on their way. */
const WireBytes = z.strictObject({
  gzip: PositiveInteger,
  zstd: PositiveInteger,
  brotli: PositiveInteger,
});

/** The same network in another form, smaller or faster, with nearly the same answers. */
const Variant = z.strictObject({
  /** Such as "int8"; "original" are the manifest's own weights. */
  name: SafeName.refine((name) => name !== ORIGINAL, "expected another name than original"),
  weights: Weights,
  wireBytes: WireBytes.optional(),
  /** Measured on the same images as the original's. */
  metrics: Metrics.optional(),
  /** Against the original's answers, on images that calibration did not see. */
  agreement: z.strictObject({
    images: PositiveInteger,
    /** Fraction of images with the same first answer. */
    top1: Fraction,
    /** Fraction of images whose first answer by the original is among its first five. */
    top5: Fraction,
    /** Mean share of the original's first five answers that are among its first five. */
    fiveShared: Fraction,
  }).optional(),
  /** Its own answer to the self-test's image: nearly the original's, and checked as strictly. */
  selfTestTop: TopClasses.optional(),
  cost: Cost.optional(),
});

/** Whether the version may take the champion's place, and why. */
const Gate = z.strictObject({
  promote: z.boolean(),
  /** The version that it was compared with. */
  champion: SafeName.nullable(),
  /** The retraining that decided, `models/<name>/runs/<run>/`. */
  run: SafeName,
  /** What was seen and asked; of a refused version, what it failed. */
  reasons: z.array(z.string().min(1)).min(1),
});

const Text = z.string().trim().min(1).max(4000);

/**
 * What people should know before they rely on a model, in its owners' words: the parts of Mitchell et
 * al., "Model Cards for Model Reporting", 2019, that numbers do not say.
 */
export const ModelCardSchema = z.strictObject({
  /** What it was made for, and for whom. */
  intendedUse: Text.optional(),
  /** What it must not be used for. */
  outOfScope: Text.optional(),
  /** Where the images come from, who labelled them, under which licence. */
  data: Text.optional(),
  /** What it is known to get wrong. */
  weaknesses: z.array(Text).max(50).optional(),
  /** Whom to ask. */
  contact: Text.optional(),
  licence: Text.optional(),
});
export type ModelCard = z.infer<typeof ModelCardSchema>;

const ModelManifestSchema = z.strictObject({
  schemaVersion: z.literal(MANIFEST_SCHEMA_VERSION),
  name: SafeName,
  version: SafeName,
  /** ISO 8601 in UTC. */
  createdAt: z.iso.datetime(),
  weights: Weights,
  input: z.strictObject({
    name: z.string().min(1),
    /** [batch, channels, height, width]; -1 is any batch. */
    shape: z.tuple([
      z.union([z.literal(-1), PositiveInteger]),
      PositiveInteger,
      PositiveInteger,
      PositiveInteger,
    ]),
  }),
  output: z.strictObject({
    name: z.string().min(1),
    classes: PositiveInteger,
    /** What turns the output into probabilities; nothing when left out. */
    activation: z.enum(["none", "softmax"]).optional(),
  }),
  preprocess: Preprocess,
  /** One label for each class, in the order of the output. Labels may repeat. */
  labels: z.array(z.string().min(1)).min(1),
  /** What was measured before publishing; left out where nothing was, as for an imported model. */
  metrics: Metrics.optional(),
  selfTest: SelfTest.optional(),
  card: ModelCardSchema.optional(),
  wireBytes: WireBytes.optional(),
  cost: Cost.optional(),
  /** Other forms of the weights, the most faithful first; a service takes the first that fits it. */
  variants: z.array(Variant).max(16).optional(),
  /** What a retraining decided about it; left out where none did. */
  gate: Gate.optional(),
  provenance: z.strictObject({
    codeVersion: z.string().min(1),
    /** Name of the network, such as "alexnet-small". */
    model: z.string().min(1),
    /** Every hyperparameter of the run. */
    config: z.record(z.string(), z.json()),
    seed: z.int(),
    /** The GPU adapter that trained it. */
    adapter: z.string(),
    /** The records that trained it, in their order: the same one, the same batches. */
    dataFingerprint: z.string().min(1),
    /** sha256 over the sorted hashes of the images' files with their classes and splits. */
    contentFingerprint: Sha256.optional(),
    /** Images of each split. */
    images: z.strictObject({
      train: z.int().nonnegative(),
      validation: z.int().nonnegative(),
      test: z.int().nonnegative(),
    }).optional(),
    /** Version whose weights the run began from; null when it began from random numbers. */
    parent: SafeName.nullish(),
  }),
}).superRefine((manifest, context) => {
  const { labels, output, preprocess, input } = manifest;
  if (labels.length !== output.classes) {
    context.addIssue({
      code: "custom",
      path: ["labels"],
      message: `${labels.length} labels for ${output.classes} classes`,
    });
  }
  const measured = manifest.metrics?.classes?.length ?? labels.length;
  if (measured !== labels.length) {
    context.addIssue({
      code: "custom",
      path: ["metrics", "classes"],
      message: `${measured} classes were measured, there are ${labels.length} labels`,
    });
  }
  const names = (manifest.variants ?? []).map(({ name }) => name);
  if (new Set(names).size < names.length) {
    context.addIssue({ code: "custom", path: ["variants"], message: `${names}: a name repeats` });
  }
  const [, channels, height, width] = input.shape;
  if (channels !== preprocess.channels || height !== preprocess.crop || width !== preprocess.crop) {
    context.addIssue({
      code: "custom",
      path: ["input", "shape"],
      message: `${channels} x ${height} x ${width} is not what preprocess makes, ` +
        `${preprocess.channels} x ${preprocess.crop} x ${preprocess.crop}`,
    });
  }
});

export type Variant = z.infer<typeof Variant>;
export type Cost = z.infer<typeof Cost>;
export type WireBytes = z.infer<typeof WireBytes>;

/** What travels beside the weights: all that a service needs to answer with them. */
export type ModelManifest = z.infer<typeof ModelManifestSchema>;

/**
 * Validates a manifest, given as JSON text or as the value parsed from it.
 *
 * @throws {SyntaxError} for text that is no JSON, and for a manifest that breaks a rule: the message
 * names each field and what is wrong with it.
 */
export function parseManifest(input: unknown): ModelManifest {
  return parse("model manifest", ModelManifestSchema, input);
}

/**
 * Requires a model's name or version to be one safe path segment.
 *
 * @throws {SyntaxError} when it is not.
 */
export function parseSafeName(what: string, input: unknown): string {
  const result = SafeName.safeParse(input);
  if (result.success) return result.data;
  throw new SyntaxError(
    `Cannot use ${JSON.stringify(input)} as ${what}: ${describe(result.error)}`,
  );
}

/**
 * Validates a value, or the JSON text of one.
 *
 * @throws {SyntaxError} naming each field that is wrong and why.
 */
export function parse<Output>(what: string, schema: z.ZodType<Output>, input: unknown): Output {
  let value = input;
  if (typeof input === "string") {
    try {
      value = JSON.parse(input);
    } catch (cause) {
      throw new SyntaxError(`Cannot parse ${what}: ${(cause as Error).message}`, { cause });
    }
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new SyntaxError(`Cannot parse ${what}: ${describe(result.error)}`);
}

function describe(error: z.ZodError): string {
  return error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join(".")}: ${message}`
  ).join("; ");
}
