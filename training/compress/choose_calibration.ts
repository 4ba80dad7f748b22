import type { PreprocessSpec } from "../../shared/image/preprocess.ts";
import type { OnnxModel } from "../../shared/onnx/onnx_node.ts";
import { openOnnxSession, runOnnx } from "../evaluation/onnx_session.ts";
import { encodeOnnx } from "../onnx/write.ts";
import {
  type Calibration,
  CALIBRATIONS,
  type Observations,
  observe,
  scalesBy,
} from "./calibrate.ts";
import { type ActivationScales, quantizeProducts } from "./quantize.ts";

/** What a form is made from. */
export interface Source {
  readonly model: OnnxModel;
  readonly preprocess: PreprocessSpec;
  /** Planes [channels, crop, crop] of images that the network is not measured on. */
  readonly calibrationImages: readonly Float32Array[];
}

/** What calibration found. */
export interface Calibrated {
  readonly observations: Observations;
  readonly scales: ActivationScales;
  /** The int8 form with them. */
  readonly int8: Uint8Array<ArrayBuffer>;
  readonly note: string;
}

/** By the calibration whose int8 answers to its images are nearest to the float32 model's. */
export async function chooseCalibration(source: Source): Promise<Calibrated> {
  const { model, calibrationImages } = source;
  const observations = await observe(model, calibrationImages);
  const expected = await answersOf(encodeOnnx(model), source);
  let best:
    | Pick<Calibrated, "scales" | "int8"> & { calibration: Calibration; error: number }
    | null = null;
  const errors: string[] = [];
  for (const calibration of CALIBRATIONS) {
    const scales = scalesBy(calibration, { ...source, observations });
    const int8 = encodeOnnx(quantizeProducts(model, scales));
    const error = meanDifference(await answersOf(int8, source), expected);
    errors.push(`${calibration} ${error.toExponential(1)}`);
    if (best === null || error < best.error) best = { int8, scales, calibration, error };
  }
  const { int8, scales, calibration } = best!;
  const note = `calibrated by ${calibration} on ${calibrationImages.length} images ` +
    `(mean error of a probability in int8: ${errors.join(", ")})`;
  return { observations, int8, scales, note };
}

/** First outputs for the calibration images, one after another. */
async function answersOf(
  bytes: Uint8Array,
  { model, calibrationImages }: Source,
): Promise<Float32Array[]> {
  const session = await openOnnxSession("a variant", bytes);
  const [output, [, ...dims]] = [model.outputs[0]!.name, model.inputs[0]!.shape as number[]];
  try {
    const answers: Float32Array[] = [];
    for (const image of calibrationImages) {
      answers.push((await runOnnx(session, image, [1, ...dims]))[output]!);
    }
    return answers;
  } finally {
    await session.release();
  }
}

function meanDifference(
  answers: readonly Float32Array[],
  expected: readonly Float32Array[],
): number {
  let [sum, count] = [0, 0];
  answers.forEach((answer, i) =>
    answer.forEach((value, j) => {
      sum += Math.abs(value - expected[i]![j]!);
      count++;
    })
  );
  return sum / count;
}
