/**
 * A run's config: the model and every setting. It is stored in the run and in the manifest, so that
 * a model says how it was made.
 * @module
 */
import { z } from "zod";
import { MODEL_NAMES, type ModelName, MODELS } from "./models/models.ts";
import { COMMON, type ModelPreset } from "./models/preset.ts";
import { AS_PUBLISHED, VARIANT_NAMES } from "./models/variant.ts";
import { layOutParameters } from "./graph/parameters.ts";
import {
  FLAG_NAMES,
  isOnlyInFile,
  isSwitch,
  optionOf,
  parseSetting,
  type SettingName,
  SETTINGS,
} from "./settings.ts";

export const ConfigSchema = z.strictObject({ model: z.enum(MODEL_NAMES), ...SETTINGS });
export type Config = z.infer<typeof ConfigSchema>;

/** Settings that came after runs had been written, and what those runs did in their place. */
const LATER: Partial<Config> = {
  ...AS_PUBLISHED,
  microBatch: COMMON.microBatch,
  precision: COMMON.precision,
  layers: COMMON.layers,
  dropAt: [...COMMON.dropAt],
  patience: COMMON.patience,
  minimumGain: COMMON.minimumGain,
  drops: COMMON.drops,
  colorNoise: COMMON.colorNoise,
  mean: COMMON.mean,
  standardize: COMMON.standardize,
};

/** The part of {@linkcode LATER} that a stored config says nothing of. */
export function laterSettings(stored: unknown): Partial<Config> {
  if (typeof stored !== "object" || stored === null) return {};
  return Object.fromEntries(Object.entries(LATER).filter(([name]) => !Object.hasOwn(stored, name)));
}

/** A config as a run or a checkpoint has it, of an earlier version too. */
export const StoredConfigSchema = z.preprocess(
  (stored) =>
    typeof stored === "object" && stored !== null
      ? { ...stored, ...laterSettings(stored) }
      : stored,
  ConfigSchema,
);

/** Settings to put over the model's defaults; any may be given as text. */
export type GivenSettings = { readonly [Name in SettingName]?: unknown };

/** One line a hyperparameter that the model has, for `--help`, with its default. */
export function describeConfig(model: ModelName): string {
  const { defaults, variants } = MODELS[model];
  const parts: readonly string[] = VARIANT_NAMES.filter((name) => !variants.includes(name));
  return FLAG_NAMES.filter((name) => !parts.includes(name)).map((name) => {
    const option = isSwitch(name) ? `--[no-]${optionOf(name)}` : `--${optionOf(name)} X`;
    const value = defaults[name];
    const shown = Array.isArray(value) ? value.map((each) => Number(each.toFixed(4))) : value;
    return `  ${option.padEnd(22)} ${SETTINGS[name].description} (${shown})`;
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
  const preset = MODELS[parseModelName(model)];
  const values = Object.entries(given).filter(([, value]) => value !== undefined)
    .map(([name, value]) => [
      name,
      typeof value === "string" ? parseSetting(name as SettingName, value) : value,
    ]);
  const all = { model, ...preset.defaults, ...Object.fromEntries(values) };
  const result = ConfigSchema.safeParse(all);
  if (!result.success) {
    // A list or a record may be wrong in several places: one reason each is enough.
    const wrong = new Map(
      result.error.issues.map((issue) => [placeOf(issue.path, given), issue.message]),
    );
    throw refusal([...wrong].map(([place, message]) => `${place} (${message})`).join("; "));
  }
  expectFit(result.data, preset);
  return result.data;
}

/** "--decay is much", or of a setting with parts "layers.fc8.bias.momentum is 2". */
function placeOf(path: readonly PropertyKey[], given: GivenSettings): string {
  const [name, ...parts] = path as [SettingName, ...string[]];
  if (!isOnlyInFile(name)) return `--${optionOf(name)} is ${given[name]}`;
  const value = parts.reduce<unknown>(
    (at, part) => (at as Record<string, unknown> | undefined)?.[part],
    given[name],
  );
  return `${path.join(".")} is ${typeof value === "object" ? JSON.stringify(value) : value}`;
}

function refusal(reason: string): SyntaxError {
  return new SyntaxError(`Cannot train: ${reason}`);
}

/** @throws {SyntaxError} on settings that do not go together, or not with the network. */
function expectFit(config: Config, preset: ModelPreset) {
  const { model, side, batchSize, microBatch, layers } = config;
  const { crop, classes } = preset;
  if (side < crop) {
    throw refusal(
      `--side is ${side}, smaller than the ${crop} pixels that ${model} sees ` +
        `(expected a whole number, at least ${crop})`,
    );
  }
  if (microBatch > 0 && batchSize % microBatch !== 0) {
    throw refusal(
      `--micro-batch is ${microBatch}, no divisor of the ${batchSize} images of a batch`,
    );
  }
  for (const name of VARIANT_NAMES) {
    if (config[name] === preset.defaults[name] || preset.variants.includes(name)) continue;
    const flag = isSwitch(name) ? `--no-${optionOf(name)}` : `--${optionOf(name)} ${config[name]}`;
    throw refusal(`${flag}: ${model} has no such part (it has ${preset.variants.join(", ")})`);
  }
  try {
    layOutParameters(preset.build(classes, config), layers);
  } catch (error) {
    throw refusal((error as Error).message.replace("Cannot update ", ""));
  }
}

/** Images of a batch to work on at a time, at most. */
export function partSizeOf({ batchSize, microBatch }: Config): number {
  return microBatch === 0 ? batchSize : microBatch;
}
