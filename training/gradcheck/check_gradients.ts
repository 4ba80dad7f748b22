/**
 * A whole network's gradients against differences of its loss, parameter by parameter.
 *
 * The loss is float32, so a difference says something only where it stands clear of rounding. Along
 * a random direction of a tensor of n numbers the slope is about the gradient's norm divided by √n,
 * which mostly drowns; along the gradient itself it is the norm, but what the gradient leaves out is
 * not seen. So half of a tensor's numbers, drawn at random, are moved along the gradient, then the
 * other half, each with a random direction on top; and then a random direction alone. Of a ladder of
 * step sizes the best counts: large ones meet the kinks of ReLU and max-pooling, small ones the
 * rounding; a wrong gradient is wrong at every size.
 * @module
 */
import type { InputBatch } from "../graph/batch_upload.ts";
import type { Engine } from "../graph/engine.ts";
import type { ParameterValues } from "../graph/parameters.ts";
import { Random } from "../random.ts";

export interface GradientCheck {
  /** "conv1.weight" */
  readonly name: string;
  readonly numbers: number;
  /** Of the gradient. */
  readonly norm: number;
  /** Change of the loss by the gradient, and as measured, in the direction that agrees least. */
  readonly expected: number;
  readonly measured: number;
  /** Their difference, as a share of the larger one or of {@link FLOOR}, if that is more. */
  readonly error: number;
  /** Undecided where every change that the loss shows drowns in its rounding. */
  readonly verdict: "right" | "wrong" | "undecided";
}

export interface CheckOptions {
  readonly seed: number;
  /** Largest error that passes. */
  readonly tolerance: number;
  onCheck?(check: GradientCheck): void;
}

/** Changes of the loss that a step along the gradient aims at, as shares of the loss. */
const AIMS = [0.01, 0.003, 0.001, 0.0003, 0.0001];
/** Longest step, as a share of the tensor's norm: beyond it the network is another one. */
const LONGEST_STEP = 0.3;
/** Length of a random direction beside the gradient's, so that what the gradient lacks shows. */
const RANDOM_SHARE = 1;
/**
 * Share of the gradient's norm times the way, below which a change is small for this gradient: the
 * direction lies across it, and the kinks on the way weigh more than the slope.
 */
const FLOOR = 0.3;
/** Steps along a random direction alone, as shares of the tensor's norm. */
const RANDOM_STEPS = [0.1, 0.03, 0.01];
/** Rounding of a difference of two losses, as a share of them: some units in the last place. */
const ROUNDING = 1e-6;
/** Dropout drops the same numbers each time. */
const AT = { learningRate: 0, seed: 1, step: 0 };

/**
 * Checks every parameter; the engine holds `values` before and after.
 *
 * @param batch a whole batch of the engine's
 */
export async function checkGradients(
  engine: Engine,
  values: ParameterValues,
  batch: InputBatch,
  options: CheckOptions,
): Promise<GradientCheck[]> {
  engine.loadParameters(values);
  await engine.takeTotals();
  engine.trainStep(batch, AT, { update: false });
  const { loss, images } = await engine.takeTotals();
  const gradients = await engine.readGradients();
  const checks: GradientCheck[] = [];
  for (const [stream, [name, own]] of [...values].entries()) {
    const measure = async (moved: Float32Array) => {
      engine.writeParameter(name, moved);
      engine.trainStep(batch, AT, { update: false, backward: false });
      const totals = await engine.takeTotals();
      return totals.loss / totals.images;
    };
    const random = new Random(options.seed, stream);
    const tensor = { name, values: own, gradient: gradients.get(name)!, loss: loss / images };
    const check = await checkTensor(tensor, measure, random, options.tolerance);
    engine.writeParameter(name, own);
    checks.push(check);
    options.onCheck?.(check);
  }
  return checks;
}

interface Tensor {
  readonly name: string;
  readonly values: Float32Array;
  readonly gradient: Float32Array;
  readonly loss: number;
}

async function checkTensor(
  tensor: Tensor,
  measure: (moved: Float32Array) => Promise<number>,
  random: Random,
  tolerance: number,
): Promise<GradientCheck> {
  const norm = normOf(tensor.gradient);
  let worst: Slope | null = null;
  for (const { direction, steps } of directionsOf(tensor, norm, random)) {
    let best: Slope | null = null;
    for (const step of steps) {
      const slope = await slopeAlong(tensor, direction, step, measure);
      const clear = slope.largest * tolerance >= ROUNDING * tensor.loss;
      if (!clear) continue;
      if (!best || slope.error < best.error) best = slope;
      if (best.error <= tolerance / 4) break;
    }
    if (best && best.error >= (worst?.error ?? 0)) worst = best;
  }
  const { name, values } = tensor;
  const { expected = 0, measured = 0, error = 0 } = worst ?? {};
  const verdict = worst === null ? "undecided" : error <= tolerance ? "right" : "wrong";
  return { name, numbers: values.length, norm, expected, measured, error, verdict };
}

interface Slope {
  readonly expected: number;
  readonly measured: number;
  /** What the error is a share of. */
  readonly largest: number;
  readonly error: number;
}

/** By central differences of the loss; what float32 makes of the moved weights is what counts. */
async function slopeAlong(
  { values, gradient }: Tensor,
  direction: Float64Array,
  step: number,
  measure: (moved: Float32Array) => Promise<number>,
): Promise<Slope> {
  const above = values.map((value, i) => value + step * direction[i]!);
  const below = values.map((value, i) => value - step * direction[i]!);
  let [expected, way] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const moved = above[i]! - below[i]!;
    expected += gradient[i]! * moved;
    way += moved * moved;
  }
  const measured = await measure(above) - await measure(below);
  const floor = FLOOR * normOf(gradient) * Math.sqrt(way);
  const largest = Math.max(Math.abs(expected), Math.abs(measured), floor);
  const error = Math.abs(expected - measured) / largest;
  // A loss that is no number must not pass for agreement, nor drown.
  return Number.isFinite(error) || largest === 0
    ? { expected, measured, largest, error }
    : { expected, measured, largest: Infinity, error: Infinity };
}

/** Directions of length 1 or so, and the steps to go along each. */
function* directionsOf({ values, gradient, loss }: Tensor, norm: number, random: Random) {
  const noise = Float64Array.from(values, () => random.normal());
  const scale = 1 / normOf(noise);
  const length = Math.max(normOf(values), 0.01 * Math.sqrt(values.length));
  const half = Uint8Array.from(values, () => random.below(2));
  for (const side of norm > 0 ? [0, 1] : []) {
    const direction = noise.map((value, i) =>
      RANDOM_SHARE * scale * value + (half[i] === side ? gradient[i]! / norm : 0)
    );
    const slope = Math.abs(gradient.reduce((sum, value, i) => sum + value * direction[i]!, 0));
    const steps = AIMS.map((aim) => aim * loss / slope / 2);
    yield { direction, steps: steps.filter((step) => step <= LONGEST_STEP * length) };
  }
  const direction = noise.map((value) => scale * value);
  yield { direction, steps: RANDOM_STEPS.map((share) => share * length) };
}

function normOf(values: Float32Array | Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}
