/**
 * Every hyperparameter of a run: its unit, its reason, its default by model. A config is stored in
 * the run and in the manifest, so that a model says how it was made.
 * @module
 */
import { z } from "zod";
import { MODEL_NAMES, type ModelName, MODELS } from "./models/models.ts";
import { SCHEDULES } from "./schedule.ts";

/** Largest side of a record: the place of a crop in it has 12 bits a coordinate. */
const MOST_PIXELS = 4096;

const wholeNumber = (least: number, most = Number.MAX_SAFE_INTEGER) => {
  const range = most === Number.MAX_SAFE_INTEGER
    ? `, at least ${least}`
    : ` from ${least} to ${most}`;
  const error = `expected a whole number${range}`;
  return z.int(error).min(least, error).max(most, error);
};
const rate = "expected a number above 0";
const share = "expected a number from 0 to below 1";
const strength = "expected a number, at least 0";

const fields = {
  model: z.enum(MODEL_NAMES).describe("network to train"),
  epochs: wholeNumber(1).describe("passes over the training images"),
  batchSize: wholeNumber(1).describe("images a step; the gradient is their mean"),
  learningRate: z.number(rate).positive(rate).describe("rate of the first step after warm-up"),
  schedule: z.enum(SCHEDULES, `expected ${SCHEDULES.join(", ")}`)
    .describe(`how the rate falls over the run: ${SCHEDULES.join(", ")}`),
  warmupSteps: wholeNumber(0).describe("steps over which the rate rises from zero"),
  momentum: z.number(share).min(0, share).lt(1, share)
    .describe("share of the last update that goes on"),
  decay: z.number(strength).min(0, strength)
    .describe("weight decay, scaled by the rate as in the paper"),
  randomCrop: z.boolean().describe("train on random crops of each image, not the central one"),
  flip: z.boolean().describe("mirror every second image: not for digits or letters"),
  side: wholeNumber(1, MOST_PIXELS)
    .describe("pixels of the shorter side that images are resized to"),
  seed: wholeNumber(0).describe("fixes weights, order of images, crops and dropout"),
};

export const ConfigSchema = z.strictObject(fields);
export type Config = z.infer<typeof ConfigSchema>;
export type ConfigName = keyof Config;
/** All but the model, which chooses the defaults of the rest. */
export type SettingName = Exclude<ConfigName, "model">;

export const SETTING_NAMES = (Object.keys(fields) as ConfigName[]).filter((name) =>
  name !== "model"
);

/** "batchSize" -> "batch-size" */
export function optionOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

export function isSwitch(name: SettingName): boolean {
  return fields[name] instanceof z.ZodBoolean;
}

/** One line a hyperparameter for `--help`, with the model's defaults. */
export function describeConfig(model: ModelName): string {
  const { defaults } = MODELS[model];
  return SETTING_NAMES.map((name) => {
    const option = isSwitch(name) ? `--[no-]${optionOf(name)}` : `--${optionOf(name)} X`;
    return `  ${option.padEnd(22)} ${fields[name].description} (${defaults[name]})`;
  }).join("\n");
}

/** @throws {SyntaxError} naming the models there are. */
export function parseModelName(text: string): ModelName {
  const name = MODEL_NAMES.find((known) => known === text);
  if (name !== undefined) return name;
  throw new SyntaxError(
    `Cannot train ${JSON.stringify(text)}: no such model (expected ${MODEL_NAMES.join(", ")})`,
  );
}

/**
 * The model's defaults with the given values over them; numbers may be given as text.
 *
 * @throws {SyntaxError} naming each wrong value and what was expected.
 */
export function makeConfig(
  model: string,
  given: { readonly [Name in SettingName]?: string | number | boolean | undefined },
): Config {
  const { defaults, crop } = MODELS[parseModelName(model)];
  const texts = Object.entries(given).filter(([, value]) => value !== undefined);
  const values = texts.map(([name, value]) => [name, valueOf(name as SettingName, value)]);
  const result = ConfigSchema.safeParse({ model, ...defaults, ...Object.fromEntries(values) });
  if (!result.success) {
    const wrong = new Map(
      result.error.issues.map(({ path, message }) => [path.join("."), message]),
    );
    const reasons = [...wrong].map(([name, message]) =>
      `--${optionOf(name)} is ${given[name as SettingName]} (${message})`
    );
    throw new SyntaxError(`Cannot train: ${reasons.join("; ")}`);
  }
  if (result.data.side < crop) {
    throw new SyntaxError(
      `Cannot train: --side is ${result.data.side}, smaller than the ${crop} pixels that ${model} ` +
        `sees (expected a whole number, at least ${crop})`,
    );
  }
  return result.data;
}

function valueOf(name: SettingName, given: unknown): unknown {
  if (typeof given !== "string" || fields[name] instanceof z.ZodEnum) return given;
  return given.trim() === "" ? Number.NaN : Number(given);
}
