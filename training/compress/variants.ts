/** The forms that `topfive compress` makes of a network, the most faithful first. */
import type { OnnxModel } from "../../shared/onnx/onnx_node.ts";
import { decodeOnnx } from "../../shared/onnx/read.ts";
import { percent } from "../../shared/percent.ts";
import type { LoadedRun } from "../load_run.ts";
import { encodeOnnx } from "../onnx/write.ts";
import { BLOCK } from "./blocks.ts";
import { type Calibrated, chooseCalibration, type Source } from "./choose_calibration.ts";
import { storeAsFloat16 } from "./float16.ts";
import { gemmToMatMul } from "./fully_connected.ts";
import type { Pruning } from "./prune.ts";
import { hasInt4, productsOf, quantizeTo4Bits, quantizeWeights } from "./quantize.ts";
import { onnxFileOf } from "./subject.ts";

export const VARIANT_NAMES = ["float16", "int8-weights", "int8", "int4"] as const;
export type VariantName = typeof VARIANT_NAMES[number];

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
  // Once: AlexNet's matrices take a second to turn.
  const model = gemmToMatMul(source.model);
  let calibrated: Calibrated | undefined;
  for (const name of names) {
    onBegin(name);
    requireForm(name, model);
    if (name === "float16") yield [name, { bytes: encodeOnnx(storeAsFloat16(source.model)) }];
    else if (name === "int8-weights") yield [name, { bytes: encodeOnnx(quantizeWeights(model)) }];
    else {
      calibrated ??= await chooseCalibration({ ...source, model });
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
  if (productsOf(model).length === 0) {
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
