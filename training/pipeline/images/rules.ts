/** What an image must be to be trained on or asked about, and what stops a retraining. */
import { z } from "zod";
import { DEFAULT_MAX_PIXELS } from "../../../shared/image/image.ts";

const share = (reason: string) => z.number().min(0).max(1).describe(reason);
const count = (least: number, reason: string) => z.int().min(least).describe(reason);

export const ImageRulesSchema = z.strictObject({
  prefix: z.string().min(1).nullable().default(null)
    .describe("where new images arrive in the store; incoming/<model>/ when null"),
  classes: z.array(z.string().min(1)).min(2).nullable().default(null)
    .describe("the labels there are; when null every folder, and for sidecars the folders' names"),
  testShare: share("of the images, by content; fixed when a model's first images come").gt(0).lt(1)
    .default(0.2),
  validationShare: share("likewise, to choose the best epoch by").gt(0).lt(1).default(0.1),
  minSide: count(1, "pixels of the shorter side; smaller images are left out").default(32),
  maxPixels: count(1, "of an image; larger ones count as unreadable").default(DEFAULT_MAX_PIXELS),
  minClassImages: count(1, "training images of a class; below them its images wait").default(20),
  lookAlikeBits: count(0, "of 64 that look-alikes of test images may differ in").max(7).default(6),
  maxBrokenShare: share("of the new images; more that are unreadable or too small stop the run")
    .default(0.1),
  maxUnknownShare: share("of the new images; more of unknown classes stop the run").default(0.1),
  maxContradictingShare: share("of the new images; more with two labels stop the run").default(
    0.05,
  ),
  maxLeakShare: share("of the new images; more look-alikes across splits stop the run")
    .default(0.2),
  maxImbalance: z.number().min(1).default(20)
    .describe("training images of the largest class for one of the smallest; above: a warning"),
  driftWarning: z.number().positive().default(0.5)
    .describe("deviations by which the means of new and known images differ; above: a warning"),
  driftStop: z.number().positive().nullable().default(2)
    .describe("likewise; above: the run stops; null: never"),
}).refine(({ testShare, validationShare }) => testShare + validationShare < 1, {
  message: "testShare and validationShare leave nothing to train on",
});

export type ImageRules = z.infer<typeof ImageRulesSchema>;

/** Fewer images than this stop nothing: one broken picture of three is no broken camera. */
export const FEWEST_THAT_STOP = 5;
