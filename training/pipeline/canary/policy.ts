/** When a candidate that meets real requests has shown enough, and what it must have shown. */
import { z } from "zod";

const share = (reason: string) => z.number().min(0).max(1).describe(reason);

export const CanaryPolicySchema = z.strictObject({
  minCompared: z.int().positive().default(200)
    .describe("images that both must have answered before it is promoted"),
  timeLimitSeconds: z.number().positive().default(3600)
    .describe("without enough images by then it is taken back"),
  pollSeconds: z.number().positive().default(5).describe("between two looks at the services"),
  minAgreement: share(
    "of the first answers; two models of 20 % error can differ on up to 40 % and both be sound, " +
      "one with mixed-up labels differs on nearly all",
  ).default(0.7),
  maxErrorShare: share("of the candidate's images that failed, beyond the champion's own")
    .default(0.01),
  maxLatencyRatio: z.number().positive().default(1.5)
    .describe("median time of the candidate, in that of the champion on the same machine"),
});

export type CanaryPolicy = z.infer<typeof CanaryPolicySchema>;
