/**
 * What is drawn for each image of a step: a pure function of (seed, step, place in the batch), so a
 * run that goes on sees the pixels that it would have seen. The draws are made here, in numbers that
 * are the same on every adapter, and applied by the kernel.
 * @module
 */
import { centreOffset, type PreprocessSpec } from "../../shared/image/preprocess.ts";
import type { Eigen } from "../dataset/eigen.ts";
import { Random } from "../random.ts";

/** Steps draw from streams that no shuffle and no parameter of the same seed uses. */
const CROP_STREAM = 2 ** 32;
const COLOR_STREAM = 2 ** 33;

export interface Augmentation {
  readonly randomCrop: boolean;
  readonly flip: boolean;
  /** Strength of the colour noise: 0 for none, 0.1 in the paper. */
  readonly colorNoise: number;
}

/** Which step of which run. */
export interface DrawPlace {
  readonly seed: number;
  readonly step: number;
}

/**
 * Where each image's crop begins and whether it is mirrored, one u32 an image: x in bits 0 to 11,
 * y in 12 to 23, the mirror in 24.
 */
export function drawCrops(
  out: Uint32Array,
  spec: Pick<PreprocessSpec, "side" | "crop">,
  augmentation: Pick<Augmentation, "randomCrop" | "flip">,
  { seed, step }: DrawPlace,
): Uint32Array {
  const margin = spec.side - spec.crop;
  const random = new Random(seed, CROP_STREAM + step);
  const centre = Math.floor(margin / 2);
  for (let i = 0; i < out.length; i++) {
    const x = augmentation.randomCrop ? random.below(margin + 1) : centre;
    const y = augmentation.randomCrop ? random.below(margin + 1) : centre;
    const mirror = augmentation.flip && random.chance(0.5);
    out[i] = cropWord({ x, y, mirror });
  }
  return out;
}

/** The word of {@link drawCrops} for one crop. */
export function cropWord(
  { x, y, mirror }: { readonly x: number; readonly y: number; readonly mirror: boolean },
): number {
  return x | y << 12 | (mirror ? 1 : 0) << 24;
}

/** The word of {@link drawCrops} for an unmirrored crop in the centre. */
export function centreCrop(spec: Pick<PreprocessSpec, "side" | "crop">): number {
  return cropWord({ ...centreOffset(spec), mirror: false });
}

/** Colours as they are: no shift, factor 1. */
export function plainColors(out: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  return out.map((_, i) => i % 4 === 3 ? 1 : 0);
}

/**
 * Colour noise: one draw an image along each principal component of the training set's colours, from
 * a normal distribution of `colorNoise` times the deviation along it. (The paper, section 4.1, says
 * "eigenvalues"; the published code names the same numbers deviations, and only those have a pixel's
 * unit.) As in the code, the pixels are then divided by 1 + colorNoise, so that training's are
 * no larger than the test's.
 *
 * @param out [images, 4]: the shift of each channel in units of a pixel, then the factor
 */
export function drawColors(
  out: Float32Array,
  { values, vectors }: Eigen,
  colorNoise: number,
  { seed, step }: DrawPlace,
): Float32Array {
  const random = new Random(seed, COLOR_STREAM + step);
  const deviations = values.map((value) => colorNoise * Math.sqrt(Math.max(0, value)));
  for (let i = 0; i < out.length; i += 4) {
    const amounts = deviations.map((deviation) => deviation * random.normal());
    for (let c = 0; c < 3; c++) {
      out[i + c] = amounts.reduce((sum, amount, k) => sum + amount * (vectors[k]![c] ?? 0), 0);
    }
    out[i + 3] = 1 / (1 + colorNoise);
  }
  return out;
}

/** What is drawn for whole batches, into arrays that each step reuses. */
export class BatchDraws {
  readonly #spec: PreprocessSpec;
  readonly #augmentation: Augmentation;
  readonly #components: Eigen | undefined;
  readonly #crops: Uint32Array<ArrayBuffer>;
  readonly #colors: Float32Array<ArrayBuffer> | undefined;

  /**
   * @param components of the training set's colours; colour noise needs them
   * @throws {RangeError} on colour noise without components
   */
  constructor(
    batchSize: number,
    spec: PreprocessSpec,
    augmentation: Augmentation,
    components?: Eigen,
  ) {
    const isNoisy = augmentation.colorNoise > 0;
    if (isNoisy && !components) {
      throw new RangeError("Cannot draw colour noise: the components of the colours are missing");
    }
    this.#spec = spec;
    this.#augmentation = augmentation;
    this.#components = components;
    this.#crops = new Uint32Array(batchSize);
    this.#colors = isNoisy ? new Float32Array(4 * batchSize) : undefined;
  }

  /** The draws of one step; they hold another's after the next call. */
  at(place: DrawPlace) {
    const [crops, colors] = [this.#crops, this.#colors];
    drawCrops(crops, this.#spec, this.#augmentation, place);
    if (colors) drawColors(colors, this.#components!, this.#augmentation.colorNoise, place);
    return { crops, colors };
  }
}
