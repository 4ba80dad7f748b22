/**
 * Every hyperparameter of a run but the network: its unit, its reason, the values it may have.
 * A model's preset gives the defaults.
 * @module
 */
import { z } from "zod";
import { PRECISIONS } from "./gpu/precision.ts";
import { SCHEDULES } from "./schedule.ts";

const MEANS = ["channel", "image"] as const;

/** Largest side of a record: the place of a crop in it has 12 bits a coordinate. */
const MOST_PIXELS = 4096;

const wholeNumber = (least: number, most = Number.MAX_SAFE_INTEGER) => {
  const range = most === Number.MAX_SAFE_INTEGER
    ? `, at least ${least}`
    : ` from ${least} to ${most}`;
  const error = `expected a whole number${range}`;
  return z.int(error).min(least, error).max(most, error);
};
const ACTIVATIONS = ["relu", "tanh"] as const;

const above = "expected a number above 0";
const below = "expected a number from 0 to below 1";
const least = "expected a number, at least 0";
const shares = "expected rising shares of the run above 0 and below 1, as 0.5,0.75";

const positive = () => z.number(above).positive(above);
const share = () => z.number(below).min(0, below).lt(1, below);
const notNegative = () => z.number(least).min(0, least);

const updateRule = z.strictObject({
  rateMultiplier: notNegative().exactOptional(),
  constantRate: notNegative().nullable().exactOptional(),
  momentum: share().nullable().exactOptional(),
  decayMultiplier: notNegative().exactOptional(),
});

export const SETTINGS = {
  epochs: wholeNumber(1).describe("passes over the training images"),
  batchSize: wholeNumber(1).describe("images a step; the gradient is their mean"),
  microBatch: wholeNumber(0).describe(
    "images at a time, whose gradients add up to the batch's; 0: as many as the adapter takes",
  ),
  precision: z.enum(PRECISIONS, `expected ${PRECISIONS.join(" or ")}`).describe(
    "what tensors are stored as; f16 halves memory and traffic where the adapter has shader-f16",
  ),
  learningRate: positive().describe("rate of the first step after warm-up"),
  schedule: z.enum(SCHEDULES, `expected ${SCHEDULES.join(", ")}`)
    .describe(`how the rate falls over the run: ${SCHEDULES.join(", ")}`),
  warmupSteps: wholeNumber(0).describe("steps over which the rate rises from zero"),
  dropAt: z.array(z.number(shares), shares).refine(
    (values) => values.every((value, i) => value > (values[i - 1] ?? 0) && value < 1),
    shares,
  ).describe("step: shares of the run after which the rate is divided by ten"),
  patience: wholeNumber(1)
    .describe("plateau: epochs without a better validation error before it divides by ten"),
  minimumGain: share().describe("plateau: fall of the validation error that counts as better"),
  drops: wholeNumber(0).describe("plateau: divisions by ten; training stops when one more is due"),
  momentum: share().describe("share of the last update that goes on"),
  decay: notNegative().describe("weight decay, scaled by the rate as in the paper"),
  lrn: z.boolean().describe("normalise responses"),
  overlap: z.boolean().describe("max-pooling of 3x3 a step of 2; without, of 2x2"),
  crossTower: z.boolean().describe("the towers see each other; without, in the last layer alone"),
  activation: z.enum(ACTIVATIONS, `expected ${ACTIVATIONS.join(" or ")}`)
    .describe(`what follows each layer: ${ACTIVATIONS.join(" or ")}`),
  dropout: z.boolean().describe("drop hidden units in training"),
  layers: z.record(
    z.string(),
    z.strictObject({ weight: updateRule.exactOptional(), bias: updateRule.exactOptional() }),
  ).describe("by layer, weight and bias: rate, momentum and decay of their own"),
  randomCrop: z.boolean().describe("train on random crops of each image, not the central one"),
  flip: z.boolean().describe("mirror every second image: not for digits or letters"),
  colorNoise: notNegative()
    .describe("noise along the colours' principal components, in their deviations; paper: 0.1"),
  mean: z.enum(MEANS, `expected ${MEANS.join(" or ")}`)
    .describe("what is subtracted: the mean of each channel, or the mean image"),
  standardize: z.boolean().describe("divide each channel by its deviation over the training set"),
  side: wholeNumber(1, MOST_PIXELS)
    .describe("pixels of the shorter side that images are resized to"),
  seed: wholeNumber(0).describe("fixes weights, order of images, crops and dropout"),
} as const;

export const SettingsSchema = z.strictObject(SETTINGS);
export type Settings = z.infer<typeof SettingsSchema>;
export type SettingName = keyof Settings;
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

/** "batchSize" -> "batch-size" */
export function optionOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Settings that are too long for a flag: a config file has them. */
export function isOnlyInFile(name: SettingName): boolean {
  return SETTINGS[name] instanceof z.ZodRecord;
}

/** Those that the command line has. */
export const FLAG_NAMES = SETTING_NAMES.filter((name) => !isOnlyInFile(name));

export function isSwitch(name: SettingName): boolean {
  return SETTINGS[name] instanceof z.ZodBoolean;
}

/** What a setting's text on the command line means; what it may not mean fails its schema. */
export function parseSetting(name: SettingName, text: string): unknown {
  const schema = SETTINGS[name];
  if (schema instanceof z.ZodEnum) return text;
  if (schema instanceof z.ZodArray) return text.split(",").map(numberOf);
  return numberOf(text);
}

function numberOf(text: string): number {
  return text.trim() === "" ? Number.NaN : Number(text);
}
