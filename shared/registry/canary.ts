/** A candidate that meets real requests before it is promoted: how it is asked for, and reported. */
import { z } from "zod";

/** Part of the pointer `candidate`; services that follow it load the candidate beside the champion. */
export const CanarySettingSchema = z.discriminatedUnion("mode", [
  z.strictObject({
    /** The candidate answers a share of the images, the same ones each time. */
    mode: z.literal("share"),
    share: z.number().gt(0).lt(1),
  }),
  /** The candidate is asked too where there is time for it, and answers nobody. */
  z.strictObject({ mode: z.literal("shadow") }),
]);
export type CanarySetting = z.infer<typeof CanarySettingSchema>;

const count = z.int().nonnegative();
const TallySchema = z.object({
  /** Images that the model was asked about, by clients or for comparison; cached answers are none. */
  asked: count,
  /** Of these, those whose answer went to a client. */
  answered: count,
  /** Of these, those that it failed to answer, through no fault of the image or the client. */
  errors: count,
  /** Decoding and running, without waiting, over the last thousand; null before the first. */
  milliseconds: z.object({ p50: z.number(), p95: z.number() }).nullable(),
});

/** What one service saw, `GET /v2/models/{model}/canary`. Counts begin anew with each `instance`. */
export const CanaryReportSchema = z.object({
  model: z.string(),
  instance: z.string(),
  /**
   * none: no canary is set, or the service has not noticed yet; refused: the candidate could not be
   * loaded or failed its self-test; ended: it died while it ran, and the champion answers for it.
   */
  state: z.enum(["none", "loading", "running", "refused", "ended"]),
  reason: z.string(),
  canary: z.object({
    champion: z.string(),
    candidate: z.string(),
    setting: CanarySettingSchema,
    /** The move of `candidate` that began it, to tell it from another canary of the same version. */
    move: count,
    since: z.iso.datetime(),
    champions: TallySchema,
    candidates: TallySchema,
    /** First answers to the same image. */
    compared: z.object({
      agreed: count,
      differed: count,
      /** The candidate answered a class that the champion does not know. */
      newClass: count,
    }),
    /** Comparisons that were left out because the service was busy. */
    dropped: count,
  }).nullable(),
});
export type CanaryReport = z.infer<typeof CanaryReportSchema>;
export type CanaryTally = z.infer<typeof TallySchema>;
