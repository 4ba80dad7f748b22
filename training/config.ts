/**
 * Every hyperparameter of a run: its unit, its reason, its default by model. A config is stored in
 * the run and in the manifest, so that a model says how it was made.
 * @module
 */
import { z } from "zod";
import { MODEL_NAMES, type ModelName, MODELS } from "./models/models.ts";
import { SCHEDULES } from "./schedule.ts";

const PositiveInteger = z.int().positive();

const fields = {
  model: z.enum(MODEL_NAMES).describe("network to train"),
  epochs: PositiveInteger.describe("passes over the training images"),
  batchSize: PositiveInteger.describe("images a step; the gradient is their mean"),
  learningRate: z.number().positive().describe("rate of the first step after warm-up"),
  schedule: z.enum(SCHEDULES).describe("how the rate falls over the run"),
  warmupSteps: z.int().nonnegative().describe("steps over which the rate rises from zero"),
  momentum: z.number().min(0).lt(1).describe("share of the last update that goes on"),
  decay: z.number().min(0).describe("weight decay, scaled by the rate as in the paper"),
  randomCrop: z.boolean().describe("train on random crops of each image, not the central one"),
  flip: z.boolean().describe("mirror every second image: not for digits or letters"),
  side: PositiveInteger.describe("pixels of the shorter side that images are resized to"),
  seed: z.int().nonnegative().describe("fixes weights, order of images, crops and dropout"),
};

export const ConfigSchema = z.strictObject(fields);
export type Config = z.infer<typeof ConfigSchema>;
export type ConfigName = keyof Config;

/** "batchSize" -> "--batch-size" */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

export const CONFIG_NAMES = Object.keys(fields) as ConfigName[];

export function isBoolean(name: ConfigName): boolean {
  return fields[name] instanceof z.ZodBoolean;
}

/** One line a hyperparameter for `--help`, with the model's defaults. */
export function describeConfig(model: ModelName): string {
  const defaults: Record<string, unknown> = MODELS[model].defaults;
  return CONFIG_NAMES.filter((name) => name !== "model").map((name) => {
    const flag = isBoolean(name) ? `--[no-]${flagOf(name).slice(2)}` : `${flagOf(name)} X`;
    return `  ${flag.padEnd(22)} ${fields[name].description} (${defaults[name]})`;
  }).join("\n");
}

/**
 * The model's defaults with the given values over them.
 *
 * @throws {SyntaxError} naming each wrong value and what was expected.
 */
export function makeConfig(model: string, given: Record<string, unknown>): Config {
  if (!(MODEL_NAMES as readonly string[]).includes(model)) {
    throw new SyntaxError(
      `Cannot train ${JSON.stringify(model)}: no such model (expected ${MODEL_NAMES.join(", ")})`,
    );
  }
  const { defaults, crop } = MODELS[model as ModelName];
  const result = ConfigSchema.safeParse({ model, ...defaults, ...given });
  if (!result.success) {
    const wrong = result.error.issues.map(({ path, message }) =>
      `${flagOf(path.join("."))}: ${message}`
    );
    throw new SyntaxError(`Cannot use these settings: ${wrong.join("; ")}`);
  }
  if (result.data.side < crop) {
    throw new SyntaxError(
      `Cannot use these settings: --side ${result.data.side} is smaller than the ${crop} pixels ` +
        `that ${model} sees`,
    );
  }
  return result.data;
}
