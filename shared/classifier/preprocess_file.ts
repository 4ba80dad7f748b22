import { z } from "zod";
import type { PreprocessSpec } from "../image/preprocess.ts";

/** Side and channels of the network's input; null where the network takes any side. */
export interface InputSize {
  readonly channels: 1 | 3;
  readonly side: number | null;
}

const Numbers = z.union([z.number(), z.array(z.number()).min(1).max(3)]);

const PreprocessFile = z.strictObject({
  /** Pixels of the resize; what the network takes when left out. */
  side: z.int().positive().max(4096).optional(),
  /** Needed only where the network takes any side. */
  crop: z.int().positive().max(4096).optional(),
  resize: z.enum(["crop", "squash"]).default("crop"),
  order: z.enum(["rgb", "bgr"]).default("rgb"),
  /** The largest value of a pixel before mean and std: 255, or 1 where they are fractions. */
  scale: z.union([z.literal(1), z.literal(255)]).default(255),
  mean: Numbers.default(0),
  std: Numbers.default(1),
});

type PreprocessFile = z.output<typeof PreprocessFile>;

/** What each preset stands for, as `--help` lists it. */
export const PRESETS: Readonly<
  Record<string, { help: string; file: z.input<typeof PreprocessFile> }>
> = {
  torchvision: {
    help: "resize the shorter side to 8/7 of the crop, ImageNet's mean and deviation; also timm's",
    file: { scale: 1, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  },
  caffe: {
    help: "squash to 256, blue first, minus 104, 117, 123, without scaling",
    file: { side: 256, resize: "squash", order: "bgr", mean: [104, 117, 123] },
  },
  inception: {
    help: "squash to the input, -1 to 1; also Keras' MobileNet",
    file: { resize: "squash", scale: 1, mean: 0.5, std: 0.5 },
  },
  unit: { help: "crop to the input, 0 to 1", file: { scale: 1 } },
  bytes: { help: "crop to the input, 0 to 255 as they are", file: {} },
};

/**
 * How an image becomes the network's input, from a preset's name or the text of a JSON file. Pixels
 * in 0 to 1 are the same as mean and std times 255, which is what a manifest holds.
 *
 * @throws {SyntaxError} when the text is no such file, or does not fit the network's input.
 */
export function readPreprocess(presetOrText: string, input: InputSize): PreprocessSpec {
  const preset = PRESETS[presetOrText];
  const file = preset ? PreprocessFile.parse(preset.file) : parseFile(presetOrText);
  const crop = input.side ?? file.crop;
  if (crop === undefined) {
    throw refusal('the network takes any size (expected "crop": the side of its input)');
  }
  if (file.crop !== undefined && file.crop !== crop) {
    throw refusal(`crop is ${file.crop}, and the network takes ${crop}`);
  }
  const side = file.side ?? (presetOrText === "torchvision" ? Math.round(crop * 8 / 7) : crop);
  if (side < crop) throw refusal(`side is ${side}, less than the network's ${crop}`);
  return {
    side,
    crop,
    channels: input.channels,
    resize: file.resize,
    order: file.order,
    mean: perPlane("mean", file, input.channels),
    std: perPlane("std", file, input.channels),
  };
}

function parseFile(text: string): PreprocessFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refusal((cause as Error).message);
  }
  const result = PreprocessFile.safeParse(value);
  if (result.success) return result.data;
  throw refusal(
    result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
  );
}

function perPlane(name: "mean" | "std", file: PreprocessFile, channels: number): number[] {
  const given = file[name];
  const numbers = typeof given === "number" ? Array<number>(channels).fill(given) : given;
  if (numbers.length !== channels) {
    throw refusal(`${name} has ${numbers.length} numbers for ${channels} channels`);
  }
  return numbers.map((number) => number * 255 / file.scale);
}

function refusal(reason: string): SyntaxError {
  return new SyntaxError(`Cannot read the preprocessing: ${reason}`);
}
