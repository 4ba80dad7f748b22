/** The forms that `topfive compress` makes of a network, the most faithful first. */
import type { PreprocessSpec } from "../../shared/image/preprocess.ts";
import type { OnnxModel } from "../../shared/onnx/onnx_node.ts";
import { decodeOnnx } from "../../shared/onnx/read.ts";
import { percent } from "../../shared/percent.ts";
import type { LoadedRun } from "../load_run.ts";
import { openOnnxSession, runOnnx } from "../evaluation/onnx_session.ts";
import { encodeOnnx } from "../onnx/write.ts";
import { BLOCK } from "./blocks.ts";
import {
  type Calibration,
  CALIBRATIONS,
  type Observations,
  observe,
  scalesBy,
} from "./calibrate.ts";
import { gemmToMatMul } from "./fully_connected.ts";
import { storeAsFloat16 } from "./float16.ts";
import type { Pruning } from "./prune.ts";
import { onnxFileOf } from "./subject.ts";
import {
  type ActivationScales,
  hasInt4,
  productsOf,
  quantizeProducts,
  quantizeTo4Bits,
  quantizeWeights,
} from "./quantize.ts";

export const VARIANT_NAMES = ["float16", "int8-weights", "int8", "int4"] as const;
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

/** The forms that there can be of a model: without large fully connected layers int4 is int8. */
export function variantsOf(model: OnnxModel): VariantName[] {
  return VARIANT_NAMES.filter((name) => name !== "int4" || hasInt4(model));
}

/**
 * The forms one after another. Calibration is done once for those that need it.
 *
 * @param onBegin told the name of each form before it is made
 * @throws {RangeError} for a model of an operator set that does not know a form, and for int4 where
 * the model has no weights that it would hold in 4 bits.
 */
export async function* makeVariants(
  names: readonly VariantName[],
  source: Source,
  onBegin: (name: VariantName) => void = () => {},
): AsyncGenerator<readonly [VariantName, Made]> {
  const { model } = source;
  let calibrated: Calibrated | undefined;
  for (const name of names) {
    onBegin(name);
    requireForm(name, model);
    if (name === "float16") yield [name, { bytes: encodeOnnx(storeAsFloat16(model)) }];
    else if (name === "int8-weights") yield [name, { bytes: encodeOnnx(quantizeWeights(model)) }];
    else {
      calibrated ??= await calibrate(source);
      const { int8, scales, observations, note } = calibrated;
      if (name === "int8") yield [name, { bytes: int8, note }];
      else yield [name, fourBits(quantizeTo4Bits(model, scales, observations))];
    }
  }
}

function fourBits(model: OnnxModel): Made {
  const sizes = model.initializers.map(({ data, elementType }) =>
    [data.length, elementType] as const
  );
  const small = sumOf(sizes.map(([length, type]) => type === "INT4" ? length : 0));
  const share = percent(small / sumOf(sizes.map(([length]) => length)), 1);
  const note = `${share} of all numbers in 4 bits, a scale for each ${BLOCK}; the rest as in int8`;
  return { bytes: encodeOnnx(model), note };
}

function requireForm(name: VariantName, model: OnnxModel): void {
  if (productsOf(gemmToMatMul(model)).length === 0) {
    throw new RangeError(
      `Cannot make ${name}: the model has no float32 weights (name the network itself, not a form)`,
    );
  }
  if (name !== "float16" && model.opset < LEAST_OPSET) {
    throw new RangeError(
      `Cannot make ${name}: the model asks for operator set ${model.opset} ` +
        `(expected ${LEAST_OPSET} or later: export it again)`,
    );
  }
  if (name === "int4" && !hasInt4(model)) {
    throw new RangeError(
      "Cannot make int4: the model has no large fully connected layer (take int8, which is the same)",
    );
  }
}

/** What a run is that {@link pruneRun} has pruned: its float32 weights, and the calibrated forms. */
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
  const forms = new Map<string, Made>([["pruned", { bytes, note }]]);
  const model = decodeOnnx(bytes);
  const small = variantsOf(model).filter((name) => name === "int8" || name === "int4");
  for await (const [name, made] of makeVariants(small, { ...source, model })) {
    forms.set(`pruned-${name}`, made);
  }
  return forms;
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

/** What calibration found. */
interface Calibrated {
  readonly observations: Observations;
  readonly scales: ActivationScales;
  /** The int8 form with them. */
  readonly int8: Uint8Array<ArrayBuffer>;
  readonly note: string;
}

/** By the calibration whose int8 answers to its images are nearest to the float32 model's. */
async function calibrate(source: Source): Promise<Calibrated> {
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
