/** The forms that `topfive compress` makes of a network, the most faithful first. */
import type { PreprocessSpec } from "../../shared/image/preprocess.ts";
import type { OnnxModel } from "../../shared/onnx/onnx_node.ts";
import { decodeOnnx } from "../../shared/onnx/read.ts";
import { percent } from "../../shared/percent.ts";
import type { LoadedRun } from "../load_run.ts";
import { openOnnxSession, runOnnx } from "../evaluation/onnx_session.ts";
import { encodeOnnx } from "../onnx/write.ts";
import { type Calibration, CALIBRATIONS, observe, scalesBy } from "./calibrate.ts";
import { storeAsFloat16 } from "./float16.ts";
import type { Pruning } from "./prune.ts";
import { onnxFileOf } from "./subject.ts";
import { quantizeProducts, quantizeWeights } from "./quantize.ts";

export const VARIANT_NAMES = ["float16", "int8-weights", "int8"] as const;
export type VariantName = typeof VARIANT_NAMES[number];

/** What a form is made from. */
export interface Source {
  readonly model: OnnxModel;
  readonly preprocess: PreprocessSpec;
  /** Planes [channels, crop, crop] of images that the network is not measured on. */
  readonly calibrationImages: readonly Float32Array[];
}

/** A form's file, and how it was made. */
export interface Made {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly note?: string;
}

/** QuantizeLinear and DequantizeLinear have an axis since operator set 13. */
const LEAST_OPSET = 13;

/** @throws {RangeError} for a model of an operator set that does not know the form. */
export async function makeVariant(name: VariantName, source: Source): Promise<Made> {
  const { model } = source;
  if (name !== "float16" && model.opset < LEAST_OPSET) {
    throw new RangeError(
      `Cannot make ${name}: the model asks for operator set ${model.opset} ` +
        `(expected ${LEAST_OPSET} or later: export it again)`,
    );
  }
  if (name === "float16") return { bytes: encodeOnnx(storeAsFloat16(model)) };
  if (name === "int8-weights") return { bytes: encodeOnnx(quantizeWeights(model)) };
  return await quantizeCalibrated(source);
}

/** What a run is that {@link pruneRun} has pruned: its float32 weights, and those in 8 bits. */
export async function makePruned(
  run: LoadedRun,
  { share, epochs }: Pruning,
  source: Source,
): Promise<Map<string, Made>> {
  const bytes = await onnxFileOf(run);
  const all = [...run.checkpoint.parameters.values()];
  const zeros = sumOf(all.map((values) => values.filter((value) => value === 0).length));
  const overall = zeros / sumOf(all.map(({ length }) => length));
  const note = `${percent(share, 1)} of the weights of each layer but the first went to zero ` +
    `(${percent(overall, 1)} of all numbers); retrained for ${epochs} epochs`;
  const small = await quantizeCalibrated({ ...source, model: decodeOnnx(bytes) });
  return new Map([["pruned", { bytes, note }], ["pruned-int8", small]]);
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

/** By the calibration whose answers to the calibration images are nearest to the float32 model's. */
async function quantizeCalibrated(source: Source): Promise<Made> {
  const { model, calibrationImages } = source;
  const observations = await observe(model, calibrationImages);
  const expected = await answersOf(encodeOnnx(model), source);
  let best: { bytes: Uint8Array<ArrayBuffer>; calibration: Calibration; error: number } | null =
    null;
  const errors: string[] = [];
  for (const calibration of CALIBRATIONS) {
    const scales = scalesBy(calibration, { ...source, observations });
    const bytes = encodeOnnx(quantizeProducts(model, scales));
    const error = meanDifference(await answersOf(bytes, source), expected);
    errors.push(`${calibration} ${error.toExponential(1)}`);
    if (best === null || error < best.error) best = { bytes, calibration, error };
  }
  return {
    bytes: best!.bytes,
    note: `calibrated by ${best!.calibration} on ${calibrationImages.length} images ` +
      `(mean error of a probability: ${errors.join(", ")})`,
  };
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
