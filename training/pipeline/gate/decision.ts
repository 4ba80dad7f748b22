/** What the gate decided, as it is kept beside the candidate. */
import { z } from "zod";

const CheckSchema = z.strictObject({
  /** Stable, for programs. */
  name: z.enum([
    "test-images",
    "known-classes",
    "top-1",
    "top-5",
    "each-class",
    "new-classes",
    "absolute-top-1",
    "absolute-top-5",
    "loads",
    "self-test",
    "memory",
    "latency",
  ]),
  passed: z.boolean(),
  /** For people: what was seen, what was asked, and where it helps the next step. */
  reason: z.string().min(1),
  numbers: z.record(z.string(), z.number().nullable()),
});
export type Check = z.infer<typeof CheckSchema>;

const ClassComparisonSchema = z.strictObject({
  name: z.string(),
  images: z.int().nonnegative(),
  /** Share of the images whose first answer was right; null for a model that lacks the class. */
  champion: z.number().nullable(),
  candidate: z.number().nullable(),
  /** Chance of so many losses by accident, adjusted for the number of classes; null if not tested. */
  p: z.number().nullable(),
});
export type ClassComparison = z.infer<typeof ClassComparisonSchema>;

export const GateDecisionSchema = z.strictObject({
  promote: z.boolean(),
  checks: z.array(CheckSchema).min(1),
  /** By class, as first answers went; the largest fall first. */
  classes: z.array(ClassComparisonSchema),
});
export type GateDecision = z.infer<typeof GateDecisionSchema>;
