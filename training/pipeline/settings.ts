/** What decides a retraining, beside the images. It is kept in each run. */
import { z } from "zod";
import { ModelCardSchema, parse } from "../../shared/manifest.ts";
import { CanarySettingSchema } from "../../shared/registry/canary.ts";
import { type Config, ConfigSchema, makeConfig } from "../config.ts";
import { CanaryPolicySchema } from "./canary/policy.ts";
import { GatePolicySchema } from "./gate/policy.ts";
import { ImageRulesSchema } from "./images/rules.ts";

const TrialSchema = z.strictObject({
  requests: z.int().min(1).default(20).describe("whose latency is measured"),
  timeoutSeconds: z.int().min(1).default(120).describe("for the start and for each answer"),
  serveArgs: z.array(z.string()).default([]).describe("flags that the service runs with"),
});

const CanarySchema = z.strictObject({
  setting: CanarySettingSchema.default({ mode: "share", share: 0.1 })
    .describe("how the candidate meets requests: a share of the images, or in the shadow"),
  services: z.array(z.url()).min(1)
    .describe("addresses of the running services; a key goes in TOPFIVE_API_KEY"),
  policy: CanaryPolicySchema.prefault({}),
});

const common = {
  from: z.enum(["champion", "scratch"]).default("champion")
    .describe("the weights to begin with; random ones where the champion is another network"),
  images: ImageRulesSchema.prefault({}),
  card: ModelCardSchema.nullable().default(null)
    .describe(
      "what people should know of the model, beside what is measured; kept in each version",
    ),
  gate: GatePolicySchema.prefault({}),
  trial: TrialSchema.prefault({}),
  canary: CanarySchema.nullable().default(null)
    .describe("before a candidate takes a champion's place; null: it does at once"),
};

export const RetrainSettingsSchema = z.strictObject({ training: ConfigSchema, ...common });
export type RetrainSettings = z.infer<typeof RetrainSettingsSchema>;

/** As a file has them: of the training only what differs from the network's own settings. */
const FileSchema = z.strictObject({
  training: z.looseObject({ model: z.string().default("alexnet-small") }).prefault({}),
  ...common,
});

/**
 * The settings of a file, with the training settings that were given apart over its own.
 *
 * @throws {SyntaxError} naming each wrong value and what was expected.
 */
export function makeSettings(
  file: unknown,
  given: { readonly model?: string | undefined; readonly from?: string | undefined } & {
    readonly training: Readonly<Record<string, unknown>>;
  },
): RetrainSettings {
  const { training: { model, ...settings }, ...rest } = parse("retraining settings", FileSchema, {
    ...Object(file),
    ...(given.from === undefined ? {} : { from: given.from }),
  });
  const named = Object.entries(given.training).filter(([, value]) => value !== undefined);
  const training: Config = makeConfig(given.model ?? model, {
    ...settings,
    ...Object.fromEntries(named),
  });
  return { training, ...rest };
}
