import type { PreprocessSpec } from "../../shared/image/preprocess.ts";
import type { OnnxModel } from "../../shared/onnx/onnx_node.ts";
import { openOnnxSession, runOnnx } from "../evaluation/onnx_session.ts";
import { encodeOnnx } from "../onnx/write.ts";
import { BLOCK } from "./blocks.ts";
import { gemmToMatMul } from "./fully_connected.ts";
import { Histogram } from "./histogram.ts";
import { InputMoments } from "./input_moments.ts";
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

/** What calibration images made of a tensor that products read. */
export interface Observation {
  readonly histogram: Histogram;
  /** Of the inputs of a fully connected layer. */
  readonly moments: InputMoments | undefined;
}

/** By the tensor's name. */
export type Observations = ReadonlyMap<string, Observation>;

/**
 * Runs the float32 model on each image and observes what its products read.
 *
 * @param images [channels, crop, crop] each, as the network takes them
 */
export async function observe(
  model: OnnxModel,
  images: Iterable<Float32Array>,
): Promise<Observations> {
  const float = gemmToMatMul(model);
  const read = new Map(productsOf(float).map(({ input, weights }) => [input, weights.dims]));
  const inner = [...read].filter(([name]) => !float.inputs.some((input) => input.name === name));
  const shown = {
    ...float,
    outputs: [
      ...float.outputs,
      ...inner.map(([name, dims]) => ({ name, shape: dims.map(() => "") })),
    ],
  };
  const session = await openOnnxSession("the model for calibration", encodeOnnx(shown));
  const observations = new Map([...read].map(([name, dims]): [string, Observation] => [name, {
    histogram: new Histogram(),
    moments: dims.length === 2 ? new InputMoments(dims[0]!, BLOCK) : undefined,
  }]));
  try {
    const [input] = float.inputs;
    const [, ...dims] = input!.shape as number[];
    for (const image of images) {
      const outputs = await runOnnx(session, image, [1, ...dims]);
      for (const [name, { histogram, moments }] of observations) {
        const values = name === input!.name ? image : outputs[name]!;
        histogram.add(values);
        moments?.add(values);
      }
    }
  } finally {
    await session.release();
  }
  return observations;
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
    [...observations].map(([name, { histogram }]): [string, ActivationScale] => {
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
