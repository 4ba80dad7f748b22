/** What a candidate must show before it may answer in the champion's place. */
import { z } from "zod";

const share = (reason: string) => z.number().min(0).max(1).describe(reason);
const budget = (reason: string) => z.number().positive().nullable().describe(reason);

export const GatePolicySchema = z.strictObject({
  minTestImages: z.int().positive().default(200)
    .describe("on fewer test images nothing is decided, and nothing promoted"),
  significance: z.number().gt(0).lt(0.5).default(0.05)
    .describe("chance of promoting a candidate that is worse by the whole margin"),
  top1Margin: share("share of the images that top-1 may lose to the champion").default(0.02),
  top5Margin: share("share of the images that top-5 may lose to the champion").default(0.02),
  maxClassFall: share("share of a class's images that the class may lose").default(0.1),
  removedClasses: z.boolean().default(false)
    .describe("a candidate need not know every class of the champion's"),
  newClassMaxTop1Error: share("top-1 error on the images of new classes, together").default(0.5),
  minNewClassImages: z.int().nonnegative().default(5)
    .describe("test images of each new class, below which it cannot be judged"),
  maxTop1Error: share("top-1 error where there is no champion to compare with").default(0.5),
  maxTop5Error: share("top-5 error where there is no champion to compare with").default(0.2),
  maxPeakMemoryBytes: budget("of the service's process with the candidate loaded; null: any")
    .default(2 * 1024 ** 3),
  maxLatencyMs: budget("a request in 20 may take longer (95th percentile); null: any").default(
    1000,
  ),
});

export type GatePolicy = z.infer<typeof GatePolicySchema>;
