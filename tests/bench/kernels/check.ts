/**
 * Whether what was timed was computed: a dozen numbers of each result, at places drawn at random,
 * against the definition in float64. An invalid bind group turns a pass into nothing, which looks
 * infinitely fast.
 * @module
 */
import { Random } from "../../../training/random.ts";
import { type Direction, type LayerRun, SEEDS } from "./layer_run.ts";
import type { Layer } from "./layers.ts";
import { noise, noiseAt, placeOf } from "./noise.ts";

const SAMPLES = 12;
/**
 * Allowed error, as a share of the sum's standard deviation: numbers uniform in [-1, 1) have products
 * of variance 1/9. float32 sums of half a million products, in any order, stay under a tenth of it.
 */
const TOLERANCE = 1e-3;

interface Place {
  readonly image: number;
  readonly channel: number;
  readonly y: number;
  readonly x: number;
}

/** Runs over the numbers that a result sums up. */
interface Sum {
  value: number;
  terms: number;
}

/** A time that counts for nothing, because what was timed computed something else. */
export class WrongResult extends Error {}

/** @throws {WrongResult} naming the first number that is wrong, with what was expected. */
export async function checkDirection(run: LayerRun, direction: Direction): Promise<void> {
  const { layer, batch } = run;
  const random = new Random(7);
  if (direction === "grad-weight") {
    const [weight, bias] = [await run.readGradient(0), await run.readGradient(1)];
    for (let i = 0; i < SAMPLES; i++) {
      const place = random.below(weight.length);
      compare(layer, `${direction} [${place}]`, weight[place]!, weightSum(layer, batch, place));
    }
    compare(layer, "grad-bias [0]", bias[0]!, biasSum(layer, batch));
    return;
  }
  const [role, shape] = direction === "forward"
    ? ["output", layer.output] as const
    : ["gradInput", layer.input] as const;
  const places = Array.from({ length: SAMPLES }, () => ({
    image: random.below(batch),
    channel: random.below(shape.channels),
    y: random.below(shape.height),
    x: random.below(shape.width),
  }));
  const values = await run.readPlaces(role, places.map((place) => placeOf(shape, place)));
  for (const [i, place] of places.entries()) {
    const sum = direction === "forward" ? outputSum(layer, place) : inputSum(layer, place);
    compare(layer, `${direction} ${JSON.stringify(place)}`, values[i]!, sum);
  }
}

function compare(layer: Layer, what: string, actual: number, { value, terms }: Sum): void {
  const allowed = TOLERANCE * Math.sqrt(terms) / 3;
  // Written so that NaN is refused.
  if (Math.abs(actual - value) <= allowed) return;
  throw new WrongResult(`${layer.name}: ${what} is ${actual} (expected ${value})`);
}

function outputSum(layer: Layer, { image, channel, y, x }: Place): Sum {
  const { input, output, kernel, strides, pads, group } = layer;
  const [groupIn, groupOut] = [input.channels / group, output.channels / group];
  const own = Math.floor(channel / groupOut) * groupIn;
  const sum = { value: noise(channel, SEEDS.bias), terms: 1 };
  for (let i = 0; i < groupIn; i++) {
    for (let r = 0; r < kernel[0]; r++) {
      for (let s = 0; s < kernel[1]; s++) {
        const at = {
          image,
          channel: own + i,
          y: y * strides[0] + r - pads[0],
          x: x * strides[1] + s - pads[1],
        };
        add(sum, inputAt(layer, at) * weightAt(layer, channel, i, r, s));
      }
    }
  }
  return sum;
}

function inputSum(layer: Layer, { image, channel, y, x }: Place): Sum {
  const { input, output, kernel, strides, pads, group } = layer;
  const [groupIn, groupOut] = [input.channels / group, output.channels / group];
  const own = Math.floor(channel / groupIn) * groupOut;
  const sum = { value: 0, terms: 0 };
  for (let o = own; o < own + groupOut; o++) {
    for (let r = 0; r < kernel[0]; r++) {
      for (let s = 0; s < kernel[1]; s++) {
        const v = (y + pads[0] - r) / strides[0], u = (x + pads[1] - s) / strides[1];
        if (!Number.isInteger(v) || !Number.isInteger(u)) continue;
        const gradient = gradientAt(layer, { image, channel: o, y: v, x: u });
        add(sum, gradient * weightAt(layer, o, channel % groupIn, r, s));
      }
    }
  }
  return sum;
}

/** @param place in the weights [out, in / group, kernel height, kernel width] */
function weightSum(layer: Layer, batch: number, place: number): Sum {
  const { input, output, kernel, strides, pads, group } = layer;
  const [groupIn, groupOut] = [input.channels / group, output.channels / group];
  const s = place % kernel[1];
  const r = Math.floor(place / kernel[1]) % kernel[0];
  const i = Math.floor(place / (kernel[0] * kernel[1])) % groupIn;
  const o = Math.floor(place / (kernel[0] * kernel[1] * groupIn));
  const channel = Math.floor(o / groupOut) * groupIn + i;
  const sum = { value: 0, terms: 0 };
  for (let image = 0; image < batch; image++) {
    for (let v = 0; v < output.height; v++) {
      for (let u = 0; u < output.width; u++) {
        const y = v * strides[0] + r - pads[0], x = u * strides[1] + s - pads[1];
        const gradient = gradientAt(layer, { image, channel: o, y: v, x: u });
        add(sum, gradient * inputAt(layer, { image, channel, y, x }));
      }
    }
  }
  return sum;
}

function biasSum(layer: Layer, batch: number): Sum {
  const { height, width } = layer.output;
  const sum = { value: 0, terms: 0 };
  for (let image = 0; image < batch; image++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) add(sum, gradientAt(layer, { image, channel: 0, y, x }));
    }
  }
  return sum;
}

function add(sum: Sum, product: number): void {
  sum.value += product;
  sum.terms++;
}

function inputAt({ input }: Layer, at: Place): number {
  const inside = at.y >= 0 && at.y < input.height && at.x >= 0 && at.x < input.width;
  return inside ? noiseAt(input, SEEDS.input, at) : 0;
}

function gradientAt({ output }: Layer, at: Place): number {
  const inside = at.y >= 0 && at.y < output.height && at.x >= 0 && at.x < output.width;
  return inside ? noiseAt(output, SEEDS.gradOutput, at) : 0;
}

function weightAt({ kernel, input, group }: Layer, o: number, i: number, r: number, s: number) {
  const place = ((o * (input.channels / group) + i) * kernel[0] + r) * kernel[1] + s;
  return noise(place, SEEDS.weight);
}
