import type { PreprocessSpec } from "../../shared/image/preprocess.ts";
import type { OnnxModel } from "../../shared/onnx/onnx_node.ts";
import { openOnnxSession, runOnnx } from "../evaluation/onnx_session.ts";
import { encodeOnnx } from "../onnx/write.ts";
import { gemmToMatMul } from "./fully_connected.ts";
import { Histogram } from "./histogram.ts";
import {
  type ActivationScale,
  activationScale,
  type ActivationScales,
  POSITIVE_LEVELS,
  productsOf,
  SIGNED_LEVELS,
} from "./quantize.ts";
import { inputBound, mayBeNegative } from "./value_ranges.ts";

/**
 * How the largest number that is told apart is chosen: the largest seen, the magnitude that one value
 * in ten thousand exceeds, or the one with the least squared error.
 */
export const CALIBRATIONS = ["max", "percentile", "mse"] as const;
export type Calibration = typeof CALIBRATIONS[number];

const PERCENTILE = 0.9999;

/** What calibration images made of each tensor that a product reads, by its name. */
export type Observations = ReadonlyMap<string, Histogram>;

/**
 * Runs the float32 model on each image and counts the magnitudes of what its products read.
 *
 * @param images [channels, crop, crop] each, as the network takes them
 */
export async function observe(
  model: OnnxModel,
  images: Iterable<Float32Array>,
): Promise<Observations> {
  const float = gemmToMatMul(model);
  const ranks = new Map(
    productsOf(float).map(({ input, weights }) => [input, weights.dims.length]),
  );
  const inner = [...ranks].filter(([name]) => !float.inputs.some((input) => input.name === name));
  const shown = {
    ...float,
    outputs: [
      ...float.outputs,
      ...inner.map(([name, rank]) => ({ name, shape: Array<string>(rank).fill("") })),
    ],
  };
  const session = await openOnnxSession("the model for calibration", encodeOnnx(shown));
  const histograms = new Map([...ranks.keys()].map((name) => [name, new Histogram()]));
  try {
    const [input] = float.inputs;
    const [, ...dims] = input!.shape as number[];
    for (const image of images) {
      const outputs = await runOnnx(session, image, [1, ...dims]);
      for (const [name, histogram] of histograms) {
        histogram.add(name === input!.name ? image : outputs[name]!);
      }
    }
  } finally {
    await session.release();
  }
  return histograms;
}

/** The scale of every tensor that a product reads. */
export function scalesBy(
  calibration: Calibration,
  { model, observations, preprocess }: {
    readonly model: OnnxModel;
    readonly observations: Observations;
    readonly preprocess: PreprocessSpec;
  },
): ActivationScales {
  const float = gemmToMatMul(model);
  return new Map(
    [...observations].map(([name, histogram]): [string, ActivationScale] => {
      const bound = inputBound(float, name, preprocess);
      // Pixels are never cut off: their range is known, and no image may leave it.
      if (bound !== undefined) return [name, activationScale(bound, { signed: true, clip: false })];
      const signed = mayBeNegative(float, name);
      const limit = limitOf(histogram, calibration, signed ? SIGNED_LEVELS : POSITIVE_LEVELS);
      return [name, activationScale(limit, { signed, clip: true })];
    }),
  );
}

function limitOf(histogram: Histogram, calibration: Calibration, levels: number): number {
  if (calibration === "max") return histogram.max;
  if (calibration === "percentile") return histogram.percentile(PERCENTILE);
  return histogram.leastError(levels);
}
