/**
 * A run's config: the model and every setting. It is stored in the run and in the manifest, so that
 * a model says how it was made.
 * @module
 */
import { z } from "zod";
import { MODEL_NAMES, type ModelName, MODELS } from "./models/models.ts";
import {
  isSwitch,
  optionOf,
  parseSetting,
  SETTING_NAMES,
  type SettingName,
  SETTINGS,
} from "./settings.ts";

export const ConfigSchema = z.strictObject({ model: z.enum(MODEL_NAMES), ...SETTINGS });
export type Config = z.infer<typeof ConfigSchema>;

/** Settings to put over the model's defaults; any may be given as text. */
export type GivenSettings = { readonly [Name in SettingName]?: unknown };

/** One line a hyperparameter for `--help`, with the model's defaults. */
export function describeConfig(model: ModelName): string {
  const { defaults } = MODELS[model];
  return SETTING_NAMES.map((name) => {
    const option = isSwitch(name) ? `--[no-]${optionOf(name)}` : `--${optionOf(name)} X`;
    return `  ${option.padEnd(22)} ${SETTINGS[name].description} (${defaults[name]})`;
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
 * The model's defaults with the given values over them.
 *
 * @throws {SyntaxError} naming each wrong value and what was expected.
 */
export function makeConfig(model: string, given: GivenSettings): Config {
  const { defaults, crop } = MODELS[parseModelName(model)];
  const values = Object.entries(given).filter(([, value]) => value !== undefined)
    .map(([name, value]) => [
      name,
      typeof value === "string" ? parseSetting(name as SettingName, value) : value,
    ]);
  const result = ConfigSchema.safeParse({ model, ...defaults, ...Object.fromEntries(values) });
  if (!result.success) {
    const wrong = new Map(
      result.error.issues.map(({ path, message }) => [path[0] as SettingName, message]),
    );
    const reasons = [...wrong].map(([name, message]) =>
      `--${optionOf(name)} is ${given[name]} (${message})`
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
